//go:build unix

package child

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// tempVariable names the environment variable that names the directory for temporary files.
const tempVariable = "TMPDIR"

// group is a process group. Its number is that of the program.
type group struct{}

// start starts a program as the leader of a group.
func (*group) start(c *exec.Cmd) error {
	c.SysProcAttr = groupAttributes()
	return c.Start()
}

// waitExited waits until the program has ended, without reaping it. It gives false where
// that cannot be waited for.
func (*group) waitExited(c *exec.Cmd) bool { return waitUnreaped(c.Process.Pid) }

// ask sends a signal to the whole group.
func (*group) ask(c *exec.Cmd, s os.Signal) error {
	number, ok := s.(syscall.Signal)
	if !ok {
		number = syscall.SIGTERM
	}
	return syscall.Kill(-c.Process.Pid, number)
}

// kill ends what is left of the group. An error says that there is nothing.
func (*group) kill(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }

func (*group) close() {}

// killedBy stands before what signalOf names.
const killedBy = "killed by signal "

// signalOf gives the signal that ended a program, and its name, "" for none.
func signalOf(state *os.ProcessState) (os.Signal, string) {
	if state == nil {
		return nil, ""
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return nil, ""
	}
	if name := unix.SignalName(status.Signal()); name != "" {
		return status.Signal(), name
	}
	return status.Signal(), status.Signal().String()
}
