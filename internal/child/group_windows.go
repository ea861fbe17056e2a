package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tempVariable names the environment variable that names the directory for temporary files.
const tempVariable = "TMP"

// group is a job object. The system ends all its processes when the last handle of it is
// closed, so also when this process dies.
type group struct {
	job windows.Handle
}

// start starts a program in a new job. It is resumed only when it is in the job, so that
// it starts no process outside of it.
func (g *group) start(c *exec.Cmd) (err error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return fmt.Errorf("creating a job object: %w", err)
	}
	defer func() {
		if err != nil {
			_ = windows.CloseHandle(job)
		}
	}()
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		return fmt.Errorf("setting the limits of a job object: %w", err)
	}
	// A group of its own too, as Ctrl-Break is sent to a group.
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP}
	if err := c.Start(); err != nil {
		return err
	}
	var assigned error
	err = c.Process.WithHandle(func(process uintptr) {
		assigned = windows.AssignProcessToJobObject(job, windows.Handle(process))
	})
	if err = errors.Join(err, assigned); err == nil {
		err = resume(uint32(c.Process.Pid))
	}
	if err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		return fmt.Errorf("starting a process in a job object: %w", err)
	}
	g.job = job
	return nil
}

// resume lets the threads of a process run.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	resumed := 0
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		if err := resumeThread(entry.ThreadID); err != nil {
			return err
		}
		resumed++
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return err
	}
	if resumed == 0 {
		return fmt.Errorf("process %d has no thread", pid)
	}
	return nil
}

func resumeThread(id uint32) error {
	thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, id)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(thread)
	_, err = windows.ResumeThread(thread)
	return err
}

// waitExited waits until the program has ended.
func (g *group) waitExited(c *exec.Cmd) bool {
	var waited error
	err := c.Process.WithHandle(func(process uintptr) {
		_, waited = windows.WaitForSingleObject(windows.Handle(process), windows.INFINITE)
	})
	return err == nil && waited == nil
}

// ask sends Ctrl-Break to the group, which only reaches programs with the same console.
func (g *group) ask(c *exec.Cmd, _ os.Signal) error {
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(c.Process.Pid))
}

// kill ends what is left of the job.
func (g *group) kill(*exec.Cmd) { _ = windows.TerminateJobObject(g.job, 1) }

func (g *group) close() { _ = windows.CloseHandle(g.job) }

// killedBy stands before what signalOf names.
const killedBy = "ended by exception "

// signalOf gives the exception that ended a program, as its exit code, "" for none.
func signalOf(state *os.ProcessState) (os.Signal, string) {
	const exception = 0xC0000000 // the severity "error" of an NTSTATUS
	if state == nil {
		return nil, ""
	}
	code := uint32(state.ExitCode())
	if code&exception != exception || code == uint32(windows.STATUS_CONTROL_C_EXIT) {
		return nil, ""
	}
	return nil, fmt.Sprintf("%#x", code)
}
