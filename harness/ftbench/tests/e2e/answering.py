"""Run a command on a terminal of its own that answers when it is asked for its attributes.

`answering.py ANSWER COMMAND...`: prints what the command printed. Fails if its echo was not as
before when it ended.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

ASK = b"\x1b[c"


def main(answer, *command):
    """Run the command; answer once."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 800, 480))
    # The command's end must not close the terminal before its modes were read.
    other_end = os.open(os.ptsname(terminal), os.O_RDWR | os.O_NOCTTY)
    printed = b""
    status = None
    while status is None or has_more(terminal):
        if has_more(terminal):
            printed += os.read(terminal, 65536)
            if answer and ASK in printed:
                os.write(terminal, answer.encode())
                answer = ""
        else:
            ended, found = os.waitpid(process_id, os.WNOHANG)
            status = found if ended else None
    modes = termios.tcgetattr(other_end)[3]
    if not modes & termios.ECHO or not modes & termios.ICANON:
        sys.exit("the terminal was left without echo")
    sys.stdout.buffer.write(printed.replace(b"\r\n", b"\n"))
    return os.waitstatus_to_exitcode(status)


def has_more(terminal):
    """Whether the command has printed more, soon."""
    return bool(select.select([terminal], [], [], 0.05)[0])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
