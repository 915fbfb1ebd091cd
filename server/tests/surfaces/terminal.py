"""Runs a program on a terminal of its own, types a line of standard input at each prompt for a password, and prints
what the terminal showed."""
import os
import pty
import sys

PROMPTS = (b"Password: ", b"The same again: ")

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
screen = b""
try:
    while part := os.read(terminal, 1024):
        screen += part
        if screen.endswith(PROMPTS):
            os.write(terminal, sys.stdin.readline().encode())
except OSError:
    pass  # Linux reports the end of a terminal as an error.
sys.stdout.buffer.write(screen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
