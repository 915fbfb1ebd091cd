python "$CLIENT/main.py"
