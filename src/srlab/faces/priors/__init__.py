"""Networks that know faces, frozen: their features judge a picture, or train what makes one."""
