"""Networks of faces, which know where a face has its eyes, nose and mouth, or learn where to look."""
