"""Front door: the three forms in other sites' frames, and the script that puts them there."""
