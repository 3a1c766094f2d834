"""Web UIs (A1111, Forge, Forge Neo and SD.Next): the Script, its settings and its tab."""
