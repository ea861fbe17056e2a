package child

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const megabyte = 1_000_000

func TestOutputGivesWhatAProgramWrites(t *testing.T) {
	out, err := program("echo").Output(t.Context(), []byte("a\nb"), 100)
	require.NoError(t, err)
	assert.Equal(t, "a\nb", string(out))

	out, err = program("echo").Output(t.Context(), nil, 100)
	require.NoError(t, err)
	assert.Empty(t, out)

	c := program("print:here")
	c.Dir = t.TempDir()
	out, err = c.Output(t.Context(), []byte("nobody reads this"), 4)
	require.NoError(t, err, "as many bytes as the limit")
	assert.Equal(t, "here", string(out))
}

func TestInputThatIsNotReadIsNoError(t *testing.T) {
	_, err := program("print:x").Output(t.Context(), make([]byte, 10*megabyte), 100)
	require.NoError(t, err)
}

func TestAProgramThatSaysNo(t *testing.T) {
	_, err := program("exit:3").Output(t.Context(), nil, 100)
	require.EqualError(t, err, "exit code 3: this is why")
	var exit *ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 3, exit.Code)
	assert.Equal(t, "this is why\n", exit.Stderr)
	assert.Empty(t, exit.Hint())
	var failed *FailedError
	assert.False(t, errors.As(err, &failed), "it has answered")

	assert.EqualError(t, start(t, program("exit:4")).Wait(), "exit code 4: this is why")
}

func TestAProgramThatFailsForWantOfATemporaryDirectory(t *testing.T) {
	c := program("exit:1")
	c.Env = append(c.Env, tempVariable+"="+filepath.Join(t.TempDir(), "gone"))
	_, err := c.Output(t.Context(), nil, 100)
	var exit *ExitError
	require.ErrorAs(t, err, &exit)
	assert.Contains(t, exit.Hint(), "no temporary file can be made in ")
	assert.Contains(t, exit.Hint(), "set "+tempVariable+" to a directory that can be written")
}

func TestProgramsThatCannotBeStarted(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	plain := write("plain", "#!/bin/sh\n", 0o600)
	for name, test := range map[string]struct {
		command    Command
		is         error
		text, hint string
		unix       bool
	}{
		"no such name":      {command: Command{Path: "omniloader-no-such-program"}, is: exec.ErrNotFound, text: "not started: exec: ", hint: "install it, or name it by its path"},
		"no such file":      {command: Command{Path: filepath.Join(dir, "none")}, is: fs.ErrNotExist, text: "not started: "},
		"no permission":     {command: Command{Path: plain}, is: fs.ErrPermission, text: "permission denied", hint: "chmod +x", unix: true},
		"a directory":       {command: Command{Path: dir}, is: fs.ErrPermission, text: "not started: ", unix: true},
		"no interpreter":    {command: Command{Path: write("script", "#!/no/such/interpreter\n", 0o700)}, is: fs.ErrNotExist, text: "no such file", hint: "interpreter", unix: true},
		"not a program":     {command: Command{Path: write("noise", "\x00\x01\x02", 0o700)}, text: "exec format error", hint: "no program for this operating system", unix: true},
		"no directory":      {command: Command{Path: program("echo").Path, Dir: filepath.Join(dir, "none")}, is: fs.ErrNotExist, text: "not started: the directory to start it in: "},
		"directory is file": {command: Command{Path: program("echo").Path, Dir: plain}, text: "not started: the directory to start it in: "},
	} {
		t.Run(name, func(t *testing.T) {
			if test.unix && runtime.GOOS == "windows" {
				t.Skip("Unix only")
			}
			_, err := test.command.Start(t.Context())
			var failed *FailedError
			require.ErrorAs(t, err, &failed)
			assert.ErrorIs(t, err, ErrNotStarted)
			if test.is != nil {
				assert.ErrorIs(t, err, test.is)
			}
			assert.ErrorContains(t, err, test.text)
			assert.Contains(t, failed.Hint(), test.hint)
			_, again := test.command.Output(t.Context(), []byte("x"), 1)
			assert.EqualError(t, again, err.Error())
		})
	}
}

func TestAvailable(t *testing.T) {
	require.NoError(t, Available(program("echo").Path))
	require.ErrorIs(t, Available("omniloader-no-such-program"), exec.ErrNotFound)
}

func TestNothingIsStartedWhenTheContextHasEnded(t *testing.T) {
	r := newRegistry(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the user pressed Ctrl-C"))
	_, err := r.in(program("stay")).Start(ctx)
	require.EqualError(t, err, "not started: the user pressed Ctrl-C")
	require.ErrorIs(t, err, ErrCanceled)
	assert.NotErrorIs(t, err, ErrNotStarted, "the command may be sound")

	expired, cancelExpired := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelExpired()
	_, err = r.in(program("stay")).Output(expired, nil, 1)
	require.EqualError(t, err, "not started: context deadline exceeded")
	require.ErrorIs(t, err, ErrTimeout)
}

func TestAProgramThatIsKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there it is an exit code")
	}
	_, err := program("kill-self").Output(t.Context(), nil, 100)
	require.EqualError(t, err, "killed by signal SIGKILL, perhaps out of memory: working")
	require.ErrorIs(t, err, ErrKilled)
	var failed *FailedError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "SIGKILL", failed.Signal)
	assert.Contains(t, failed.Hint(), "memory")
	var exit *ExitError
	assert.False(t, errors.As(err, &exit), "it has not answered")
}

func TestConversation(t *testing.T) {
	p := start(t, program("echo"))
	lines := NewLines(p.Stdout, 1000)
	for i := range 100 {
		require.NoError(t, json.NewEncoder(p.Stdin).Encode(map[string]int{"id": i}))
		line, err := lines.Next()
		require.NoError(t, err)
		var answer struct{ ID int }
		require.NoError(t, json.Unmarshal(line, &answer))
		require.Equal(t, i, answer.ID)
	}
	require.NoError(t, p.Wait(), "it ends with its input")
	require.NoError(t, p.Wait(), "Wait gives the same again")
	_, err := p.Stdin.Write([]byte("x"))
	assert.Error(t, err)
	_, err = p.Stdout.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestWhatWasWrittenCanBeReadAfterTheEnd(t *testing.T) {
	p := start(t, program("print:first\nlast"))
	<-p.finished
	out, err := io.ReadAll(p.Stdout)
	require.NoError(t, err)
	assert.Equal(t, "first\nlast", string(out))
	assert.NoError(t, p.Wait())
}

func TestTheEndOfTheContextStopsAProgram(t *testing.T) {
	r := newRegistry(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	p, err := r.in(program("stay")).Start(ctx)
	require.NoError(t, err)
	alive := r.next()
	reason := errors.New("the user pressed Ctrl-C")
	cancel(reason)
	within(t, func() { err = p.Wait() })
	alive.waitDead()
	require.EqualError(t, err, "stopped: the user pressed Ctrl-C")
	assert.ErrorIs(t, err, ErrCanceled)
	assert.ErrorIs(t, err, reason)
}

func TestATimeLimit(t *testing.T) {
	r := newRegistry(t)
	c := r.in(program("stay"))
	c.Timeout = 10 * time.Millisecond // it may end before the program registers
	_, err := c.Output(t.Context(), nil, 100)
	require.ErrorIs(t, err, ErrTimeout)
	assert.Contains(t, err.Error(), "stopped after 10ms, its time limit")
	assert.NotErrorIs(t, err, ErrCanceled)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = r.in(program("stay")).Output(ctx, nil, 100)
	require.ErrorIs(t, err, ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAProgramIsAskedToEndFirst(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Ctrl-Break needs a console")
	}
	for name, s := range map[string]os.Signal{"terminated": nil, "interrupt": os.Interrupt} {
		r := newRegistry(t)
		file := filepath.Join(t.TempDir(), "temporary")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		c := r.in(program("remove-on-signal:" + file))
		c.StopSignal, c.Grace = s, maxWait
		ctx, cancel := context.WithCancel(t.Context())
		p, err := c.Start(ctx)
		require.NoError(t, err)
		r.next()
		cancel()
		assert.Equal(t, name, readLine(t, p))
		require.EqualError(t, p.Wait(), "stopped: context canceled", "exit code 0 is not success then")
		assert.NoFileExists(t, file)
	}
}

func TestAProgramThatDoesNotEndWhenAskedIsKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals cannot be ignored there")
	}
	r := newRegistry(t)
	c := r.in(program("ignore-signals"))
	c.Grace = 20 * time.Millisecond
	p := start(t, c)
	alive := r.next()
	within(t, p.Stop)
	alive.waitDead()
	err := p.Wait()
	require.EqualError(t, err, "stopped by its caller; it did not end when asked, and was killed 20ms later")
	require.ErrorIs(t, err, ErrStopped)
}

func TestCloseStopsAProgramThatDoesNotEndWithItsInput(t *testing.T) {
	r := newRegistry(t)
	c := r.in(program("close-stdout"))
	c.Grace = 20 * time.Millisecond
	p := start(t, c)
	alive := r.next()
	_, err := NewLines(p.Stdout, 10).Next()
	require.Equal(t, io.EOF, err)
	within(t, func() { err = p.Close() })
	alive.waitDead()
	require.ErrorIs(t, err, ErrStopped)
	assert.Contains(t, err.Error(), "it still ran 20ms after the end of its standard input")

	require.NoError(t, start(t, program("echo")).Close())
	require.EqualError(t, start(t, program("exit:5")).Close(), "exit code 5: this is why")
}

func TestStopEndsReadingAndWriting(t *testing.T) {
	r := newRegistry(t)
	p := start(t, r.in(program("stay")))
	r.next()
	read, written := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := NewLines(p.Stdout, 10).Next()
		read <- err
	}()
	go func() {
		_, err := p.Stdin.Write(make([]byte, 10*megabyte)) // more than a pipe holds
		written <- err
	}()
	within(t, func() {
		p.Stop()
		p.Stop()
		assert.Error(t, <-read)
		assert.Error(t, <-written)
	})
	assert.ErrorIs(t, p.Wait(), ErrStopped)
}

func TestStopAfterTheEndChangesNothing(t *testing.T) {
	p := start(t, program("exit:6"))
	require.EqualError(t, p.Wait(), "exit code 6: this is why")
	p.Stop()
	assert.EqualError(t, p.Wait(), "exit code 6: this is why")
}

func TestAGrandchildEndsWithTheProgram(t *testing.T) {
	t.Run("which ends by itself", func(t *testing.T) {
		r := newRegistry(t)
		c := r.in(program("parent-stays:stay"))
		c.Grace = maxWait
		p := start(t, c)
		one, two := r.next(), r.next()
		one.c.Close()
		two.c.Close()
		within(t, func() { require.NoError(t, p.Wait()) })
	})
	t.Run("which is stopped", func(t *testing.T) {
		r := newRegistry(t)
		p := start(t, r.in(program("parent-stays:ignore-signals")))
		one, two := r.next(), r.next()
		within(t, p.Stop)
		one.waitDead()
		two.waitDead()
	})
	t.Run("which is killed", func(t *testing.T) {
		r := newRegistry(t)
		p := start(t, r.in(program("parent-stays:ignore-signals")))
		one, two := r.next(), r.next()
		require.NoError(t, p.cmd.Process.Kill())
		one.waitDead()
		two.waitDead()
		within(t, func() { require.ErrorIs(t, p.Wait(), ErrKilled) })
	})
	t.Run("and holds its output no longer", func(t *testing.T) {
		r := newRegistry(t)
		c := r.in(program("parent:stay"))
		c.Grace = 10 * maxWait
		within(t, func() {
			_, err := c.Output(t.Context(), nil, 100)
			require.NoError(t, err)
		})
	})
}

func TestMemoryIsBoundedHoweverMuchAProgramWrites(t *testing.T) {
	const most = 8 << 20 // bytes, of 100 MB
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	t.Run("to standard output", func(t *testing.T) {
		assert.Less(t, allocated(func() {
			out, err := program("write:stdout 100").Output(t.Context(), nil, megabyte)
			require.ErrorIs(t, err, ErrOutputLimit)
			require.ErrorContains(t, err, "stopped: more than 1000000 bytes of standard output")
			require.Len(t, out, megabyte)
		}), uint64(most))
	})
	t.Run("to standard error", func(t *testing.T) {
		assert.Less(t, allocated(func() {
			c := program("write:stderr 100")
			p := start(t, c)
			require.NoError(t, p.Wait())
			text, dropped := p.Stderr()
			assert.True(t, strings.HasSuffix(text, "x\nthe last line\n"))
			assert.True(t, strings.HasPrefix(text, strings.Repeat("x", 99)+"\n"), "whole lines")
			assert.LessOrEqual(t, len(text), DefaultStderrLimit)
			assert.Greater(t, len(text), DefaultStderrLimit-100)
			assert.EqualValues(t, 100*megabyte+len("the last line\n"), int64(len(text))+dropped)
		}), uint64(most))
	})
	t.Run("without a line end", func(t *testing.T) {
		assert.Less(t, allocated(func() {
			p := start(t, program("write:line 100"))
			_, err := NewLines(p.Stdout, megabyte).Next()
			require.ErrorIs(t, err, ErrLineTooLong)
			within(t, p.Stop)
		}), uint64(most))
	})
	t.Run("that is discarded", func(t *testing.T) {
		assert.Less(t, allocated(func() {
			require.NoError(t, start(t, program("write:stdout 100")).Wait())
		}), uint64(most))
	})
}

func TestStandardErrorIsPassedOn(t *testing.T) {
	var all strings.Builder
	c := program("write:stderr 1")
	c.Stderr, c.StderrLimit = &all, 20
	p := start(t, c)
	require.NoError(t, p.Wait())
	assert.Equal(t, megabyte+len("the last line\n"), all.Len())
	text, _ := p.Stderr()
	assert.Equal(t, "the last line\n", text)
}

func TestAFailureSaysWhatItLeavesOut(t *testing.T) {
	c := program("exit:1")
	c.StderrLimit = 4
	_, err := c.Output(t.Context(), nil, 100)
	require.EqualError(t, err, "exit code 1: [8 bytes before this left out]\nwhy")
}
