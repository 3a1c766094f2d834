WHOSE = "the neighbour"
