package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The kinds of a [FailedError].
var (
	ErrNotStarted  = errors.New("not started")
	ErrKilled      = errors.New("killed")              // by a signal that was not sent from here
	ErrTimeout     = errors.New("time limit exceeded") // of the command, or the context's deadline
	ErrCanceled    = errors.New("cancelled")           // by the context
	ErrStopped     = errors.New("stopped")             // by Stop or Close
	ErrOutputLimit = errors.New("too much output")
	ErrUnknown     = errors.New("end unknown") // waiting for it, or its pipes, failed
)

// ExitError is the end of a program that ran until it ended itself, with an exit code that
// is not 0. That is an answer, a negative one.
type ExitError struct {
	Code   int
	Stderr string // its last lines, as they were written
	hint   string
}

func (e *ExitError) Error() string {
	return withStderr(fmt.Sprintf("exit code %d", e.Code), e.Stderr)
}

// Hint gives the way out where the cause is known, else "".
func (e *ExitError) Hint() string { return e.hint }

// FailedError is the end of a program that has not answered: it was not started, was
// killed or was stopped.
type FailedError struct {
	Kind   error  // one of the errors above
	Signal string // such as SIGKILL, for ErrKilled
	Err    error  // the cause: of not starting, or of the end of the context; else nil
	Stderr string // its last lines, as they were written
	text   string
	hint   string
}

func (e *FailedError) Error() string {
	if e.Kind == ErrCanceled || e.Kind == ErrStopped {
		return e.text // what it then complains of is of no interest
	}
	return withStderr(e.text, e.Stderr)
}

func (e *FailedError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Hint gives the way out where one is known, else "".
func (e *FailedError) Hint() string { return e.hint }

func withStderr(text, stderr string) string {
	if stderr = strings.TrimSpace(stderr); stderr == "" {
		return text
	}
	return text + ": " + stderr
}

// stderrForError gives the end of standard error, and says what was left out before it.
func (p *Process) stderrForError() string {
	text, dropped := p.stderr.text()
	if dropped > 0 {
		return fmt.Sprintf("[%d bytes before this left out]\n%s", dropped, text)
	}
	return text
}

// notStarted describes why a program was not started.
func (p *Process) notStarted(err error) error {
	defer p.cancel(nil)
	if p.ctx.Err() != nil && errors.Is(err, p.ctx.Err()) {
		return p.contextEnded("not started")
	}
	hint, err := explainStart(&p.command, err)
	return &FailedError{Kind: ErrNotStarted, Err: err, text: "not started: " + err.Error(), hint: hint}
}

// explainStart gives the cause why a program was not started, and the way out, "" for none.
func explainStart(c *Command, err error) (hint string, cause error) {
	if c.Dir != "" { // the operating system's error would name the program
		if info, err := os.Stat(c.Dir); err != nil {
			return "", fmt.Errorf("the directory to start it in: %w", err)
		} else if !info.IsDir() {
			return "", fmt.Errorf("the directory to start it in: %s: %w", c.Dir, syscall.ENOTDIR)
		}
	}
	switch {
	case errors.Is(err, exec.ErrDot):
		return "a program of the current directory is named by its path: ." + string(os.PathSeparator) + c.Path, err
	case errors.Is(err, exec.ErrNotFound):
		return "install it, or name it by its path", err
	case errors.Is(err, fs.ErrNotExist):
		if _, gone := os.Stat(c.Path); gone == nil {
			return "the file is there, but not the interpreter that its first line names, or the dynamic loader that it needs", err
		}
	case errors.Is(err, fs.ErrPermission):
		return "make it executable (chmod +x), on a file system that is not mounted noexec", err
	case errors.Is(err, syscall.ENOEXEC):
		return "it is no program for this operating system and processor, or a script whose first line names no interpreter", err
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return "too many processes run, or memory is short (ulimit -u, free)", err
	}
	return "", err
}

// describe says how a program ended, from what exec.Cmd says of it.
func (p *Process) describe(err error, endedAt time.Time) error {
	p.mu.Lock()
	askedAt := p.askedAt
	p.mu.Unlock()
	signal, signalName := signalOf(p.cmd.ProcessState)
	if !askedAt.IsZero() {
		failed := p.contextEnded("stopped")
		switch killed := signal == os.Kill; {
		case killed && endedAt.Sub(askedAt) >= p.command.Grace:
			failed.text += fmt.Sprintf("; it did not end when asked, and was killed %s later", p.command.Grace)
		case signalName != "" && signal != p.command.StopSignal:
			failed.text += "; it was " + killedBy + signalName
		}
		return failed
	}
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil // ErrWaitDelay: another process holds a pipe open, but all that this one wrote was read
	case signalName != "":
		failed := &FailedError{Kind: ErrKilled, Signal: signalName, Stderr: p.stderrForError(), text: killedBy + signalName}
		if signal == os.Kill {
			failed.text += ", perhaps out of memory"
			failed.hint = "Linux kills the largest process when memory is short: see dmesg, or the memory limit of the container"
		}
		return failed
	case errors.As(err, &exit):
		return &ExitError{Code: exit.ExitCode(), Stderr: p.stderrForError(), hint: tempDirHint(p.command.Env)}
	}
	return &FailedError{Kind: ErrUnknown, Err: err, Stderr: p.stderrForError(), text: "how it ended is unknown: " + err.Error()}
}

// contextEnded makes the error of a program that ended, or was not started, because its
// context has ended.
func (p *Process) contextEnded(text string) *FailedError {
	failed := &FailedError{Stderr: p.stderrForError()}
	switch cause := context.Cause(p.ctx); {
	case cause == errTimeLimit:
		failed.Kind = ErrTimeout
		failed.text = fmt.Sprintf("%s after %s, its time limit", text, p.command.Timeout)
	case cause == errStopCalled:
		failed.Kind, failed.text = ErrStopped, text+" by its caller"
	case cause == errStillRunning:
		failed.Kind = ErrStopped
		failed.text = fmt.Sprintf("%s: it still ran %s after the end of its standard input", text, p.command.Grace)
	case cause == errOutput:
		failed.Kind, failed.text = ErrOutputLimit, text+": too much output"
	case errors.Is(p.ctx.Err(), context.DeadlineExceeded):
		failed.Kind, failed.Err, failed.text = ErrTimeout, cause, fmt.Sprintf("%s: %s", text, cause)
	default:
		failed.Kind, failed.Err, failed.text = ErrCanceled, cause, fmt.Sprintf("%s: %s", text, cause)
	}
	return failed
}

// tempDirHint gives a hint where no file can be made in the directory for temporary files
// that an environment names, which makes many programs fail; else "".
func tempDirHint(env []string) string {
	if env == nil {
		env = os.Environ()
	}
	dir := ""
	for _, entry := range env {
		if name, value, _ := strings.Cut(entry, "="); name == tempVariable {
			dir = value // the last one counts
		}
	}
	if dir == "" {
		return ""
	}
	f, err := os.CreateTemp(dir, "omniloader-")
	if err != nil {
		return fmt.Sprintf("no temporary file can be made in %s (%s): set %s to a directory that can be written", dir, reason(err), tempVariable)
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	return ""
}

// reason gives the error of the operating system without the name of a file.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
