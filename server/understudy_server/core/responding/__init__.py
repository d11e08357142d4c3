"""What is answered, as data: the proxy carries it out."""
