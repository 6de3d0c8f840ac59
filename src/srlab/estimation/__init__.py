"""The blur kernel of one image, found in the image itself."""
