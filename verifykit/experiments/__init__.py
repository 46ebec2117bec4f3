"""What checks find out about a subject by trying it: a file, or a folder, for each question."""
