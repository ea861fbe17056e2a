package child

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// groupAttributes also makes the kernel kill the program when the thread that has started
// it ends, which is that of Process.run.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func waitUnreaped(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
