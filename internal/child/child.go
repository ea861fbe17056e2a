// Package child runs other programs, with a limit on their time and their output, ends
// them together with all that they have started, and says how they ended.
//
// A program is started without a shell, as the leader of a process group of its own (on
// Windows, in a job object of its own). When it ends, whoever ends it, the processes that
// it has started are killed. Its output costs no more memory than the limits given here,
// and its end is described in words: see [ExitError] and [FailedError].
//
// What is not covered: a process that leaves the group on purpose (setsid, as a daemon
// does) is left alone on Unix, and a pipe that it holds open is waited for no longer than
// the grace period. On Linux a program is also killed when this process dies, and on
// Windows the whole job is; elsewhere it only sees the end of its standard input.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Defaults of the fields of [Command] that are zero.
const (
	DefaultGrace       = 5 * time.Second
	DefaultStderrLimit = 8 << 10 // bytes
)

// Command is a program to be started, any number of times.
type Command struct {
	// Path is the program: a path, or a name without a separator that is looked up in PATH.
	Path string
	// Args are its arguments, without the name of the program.
	Args []string
	// Dir is the directory it is started in; "" is the current one.
	Dir string
	// Env is its environment, as "key=value"; nil is that of this process.
	Env []string
	// Timeout is how long it may run; 0 is without limit. The context may end earlier.
	Timeout time.Duration
	// StopSignal is sent to the group when it has to end early; nil is SIGTERM. The go
	// command and Python clean up on os.Interrupt only. On Windows it is always Ctrl-Break.
	StopSignal os.Signal
	// Grace is how long it may take to end when asked to, before it is killed; 0 is
	// DefaultGrace. It also bounds the wait for pipes that a process outside the group
	// holds open after the end.
	Grace time.Duration
	// StderrLimit is how many bytes at the end of its standard error are kept for the
	// description of a failure; 0 is DefaultStderrLimit.
	StderrLimit int
	// Stderr, if not nil, gets all that it writes to standard error, as it comes, besides
	// the part that is kept. Its errors are ignored. Its Write must return: the end of the
	// program is waited for until it does.
	Stderr io.Writer
}

// Process is a program that runs, or has run. Every process that was started needs one of
// Wait, Close and Stop, which may be called any number of times. Stop may be called while
// other calls are in progress.
type Process struct {
	// Stdin is its standard input. Wait, Close and Stop close it.
	Stdin io.WriteCloser
	// Stdout is its standard output. It ends with io.EOF when the program has closed it or
	// has ended, whatever other processes hold the pipe open. A program that writes is held
	// up until it is read.
	Stdout io.Reader

	command  Command
	cmd      *exec.Cmd
	group    group
	output   *output // what is behind Stdout; nil where another writer gets it
	stderr   tail
	ctx      context.Context
	cancel   context.CancelCauseFunc
	finished chan struct{} // closed when err is set and nothing of the program is left

	mu      sync.Mutex
	ended   bool      // the program has ended, and has or will have no group
	askedAt time.Time // when it was asked to end; zero where it was not

	err error // how it ended, see Wait
}

// The causes with which the context of a process is cancelled here.
var (
	errTimeLimit    = errors.New("time limit")
	errStopCalled   = errors.New("stopped by the caller")
	errStillRunning = errors.New("still running")
	errOutput       = errors.New("too much output")
)

// Start starts the program. The error is a *FailedError of the kind ErrNotStarted, or of
// ErrCanceled or ErrTimeout where ctx has ended before: then nothing was started. When ctx
// ends, the group is asked to end, and is killed after the grace period.
func (c Command) Start(ctx context.Context) (*Process, error) {
	p := c.prepare(ctx)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, p.notStarted(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		_ = stdin.Close()
		return nil, p.notStarted(err)
	}
	defer write.Close() // the program has it now
	p.output = &output{file: read, grace: p.command.Grace}
	p.Stdin, p.Stdout, p.cmd.Stdout = stdin, p.output, write
	if err := p.start(); err != nil {
		_ = read.Close()
		return nil, err
	}
	return p, nil
}

// Output runs the program to its end with input as its standard input, and gives all that
// it wrote to standard output. If that is more than limit bytes, the program is stopped,
// and the error is of the kind ErrOutputLimit. With an error the output may be incomplete.
func (c Command) Output(ctx context.Context, input []byte, limit int) ([]byte, error) {
	p := c.prepare(ctx)
	stdout := &limitedBuffer{limit: limit, exceeded: func() { p.cancel(errOutput) }}
	p.cmd.Stdout = stdout
	if len(input) > 0 {
		p.cmd.Stdin = bytes.NewReader(input)
	}
	if err := p.start(); err != nil {
		return nil, err
	}
	<-p.finished
	var failed *FailedError
	if errors.As(p.err, &failed) && failed.Kind == ErrOutputLimit {
		failed.text = fmt.Sprintf("stopped: more than %d bytes of standard output", limit)
	}
	return stdout.content.Bytes(), p.err
}

// Available tells whether a program of this name is in PATH; the error says why not.
func Available(name string) error {
	_, err := exec.LookPath(name)
	return err
}

// prepare makes the process that start starts.
func (c Command) prepare(ctx context.Context) *Process {
	if c.Grace <= 0 {
		c.Grace = DefaultGrace
	}
	if c.StderrLimit <= 0 {
		c.StderrLimit = DefaultStderrLimit
	}
	if c.StopSignal == nil {
		c.StopSignal = syscall.SIGTERM
	}
	p := &Process{command: c, finished: make(chan struct{})}
	p.stderr = tail{limit: c.StderrLimit, copyTo: c.Stderr}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	if c.Timeout > 0 {
		var release context.CancelFunc
		p.ctx, release = context.WithTimeoutCause(p.ctx, c.Timeout, errTimeLimit)
		context.AfterFunc(p.ctx, release)
	}
	p.cmd = exec.CommandContext(p.ctx, c.Path, c.Args...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = c.Dir, c.Env, &p.stderr
	p.cmd.Cancel, p.cmd.WaitDelay = p.ask, c.Grace
	return p
}

func (p *Process) start() error {
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return p.notStarted(err)
	}
	return nil
}

// run starts the program and waits for its end. It does so on one thread: Linux kills a
// program that is to die with its parent when the thread that started it ends, and the
// thread of a goroutine may end at any time, unless the goroutine is locked to it.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.mu.Lock() // ask waits until there is a group
	err := p.group.start(p.cmd)
	p.mu.Unlock()
	started <- err
	if err != nil {
		return
	}
	// The group is killed before the program is reaped: until then its number cannot belong
	// to another group. And before the pipes are waited for, which the group may hold open.
	unreaped := p.group.waitExited(p.cmd)
	if !unreaped { // this system cannot tell
		err = p.cmd.Wait()
	}
	endedAt := time.Now()
	p.mu.Lock()
	p.ended = true
	p.group.kill(p.cmd)
	p.mu.Unlock()
	if p.output != nil {
		p.output.end()
	}
	if unreaped {
		err = p.cmd.Wait()
	}
	p.group.close()
	p.err = p.describe(err, endedAt)
	p.cancel(nil)
	close(p.finished)
}

// ask asks the group to end. It is what exec.Cmd calls when the context has ended; it
// kills the program by itself when the grace period is over.
func (p *Process) ask() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return os.ErrProcessDone
	}
	p.askedAt = time.Now()
	if p.group.ask(p.cmd, p.command.StopSignal) != nil {
		p.group.kill(p.cmd)
	}
	return nil
}

// Wait closes standard input, discards what is unread of standard output, and waits for
// the end of the program, however long that takes. The error says how it ended: nil for
// exit code 0, an *ExitError for another one, and a *FailedError for any other end.
func (p *Process) Wait() error {
	_ = p.Stdin.Close()
	_, _ = io.Copy(io.Discard, p.output)
	_ = p.output.file.Close()
	<-p.finished
	return p.err
}

// Close is Wait for a program that should end when its standard input does: it is stopped
// where it has not ended after the grace period. The error is then of the kind ErrStopped.
func (p *Process) Close() error {
	timer := time.AfterFunc(p.command.Grace, func() { p.cancel(errStillRunning) })
	defer timer.Stop()
	return p.Wait()
}

// Stop ends the program and its group now, and returns when they have ended. Wait then
// gives an error of the kind ErrStopped, or how the program ended where it was earlier. A
// program whose standard output has ended is on its way out by itself: Close tells how.
func (p *Process) Stop() {
	p.cancel(errStopCalled)
	_ = p.Stdin.Close()
	<-p.finished
	_ = p.output.file.Close()
}

// Stderr gives the last lines that the program has written to standard error so far, and
// the number of bytes before them that were not kept. It may be called at any time.
func (p *Process) Stderr() (text string, dropped int64) { return p.stderr.text() }
