package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The test binary is the program that the tests run. modeVariable names what it does,
// and registerVariable the socket where it reports that it runs, see register.
const (
	modeVariable     = "OMNILOADER_TEST_CHILD"
	registerVariable = "OMNILOADER_TEST_REGISTER"
)

// maxWait bounds what a test waits for, where it would else hang.
const maxWait = time.Minute

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		name, argument, _ := strings.Cut(mode, ":")
		run, ok := modes[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "no such mode: "+name)
			os.Exit(99)
		}
		run(argument)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is the test binary in a mode.
func program(mode string) Command {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	// The race detector would let each program sleep for a second at its end.
	return Command{Path: self, Env: append(os.Environ(), modeVariable+"="+mode, "GORACE=atexit_sleep_ms=0")}
}

// modes is filled by init functions, as these functions start programs in other modes.
var modes = make(map[string]func(argument string))

func init() {
	maps.Copy(modes, map[string]func(string){
		"echo": func(string) { _, _ = io.Copy(os.Stdout, os.Stdin) },
		"exit": func(code string) {
			n, _ := strconv.Atoi(code)
			fmt.Fprintln(os.Stderr, "this is why")
			os.Exit(n)
		},
		"print": func(text string) { fmt.Print(text) },
		"write": write,
		// kill-self ends by a signal that it sends itself.
		"kill-self": func(string) {
			fmt.Fprintln(os.Stderr, "working")
			p, _ := os.FindProcess(os.Getpid())
			_ = p.Kill()
			select {}
		},
		"stay": func(string) { register() },
		// close-stdout closes its standard output, and stays.
		"close-stdout": func(string) { os.Stdout.Close(); register() },
		"ignore-signals": func(string) {
			signal.Ignore(os.Interrupt, syscall.SIGTERM)
			register()
		},
		// remove-on-signal removes a file when it is asked to end.
		"remove-on-signal": func(file string) {
			asked := make(chan os.Signal, 1)
			signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
			go register()
			fmt.Println((<-asked).String())
			os.Remove(file)
		},
		// parent starts a grandchild that holds its pipes, and ends.
		"parent": func(mode string) { startGrandchild(mode, nil) },
		// parent-stays is parent, and then stays too.
		"parent-stays": func(mode string) { startGrandchild(mode, nil); register() },
		// parent-waits starts a grandchild, and ends when that has, not when it is asked to.
		"parent-waits": func(mode string) {
			signal.Notify(make(chan os.Signal, 9), os.Interrupt, syscall.SIGTERM)
			_ = startGrandchild(mode, nil).Wait()
		},
		// start-child starts a program with this package, and stays.
		"start-child": func(mode string) {
			if _, err := program(mode).Start(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(98)
			}
			register()
		},
	})
}

// write writes so many megabytes: "stdout 100" or "stderr 100" in lines of 100 bytes, or
// "line 100" without a line end.
func write(argument string) {
	where, megabytes, _ := strings.Cut(argument, " ")
	n, _ := strconv.Atoi(megabytes)
	line := strings.Repeat("x", 99) + "\n"
	w := os.Stdout
	switch where {
	case "stderr":
		w = os.Stderr
	case "line":
		line = strings.Repeat("x", 100)
	}
	block := []byte(strings.Repeat(line, 1000))
	for range 10 * n {
		if _, err := w.Write(block); err != nil {
			os.Exit(97)
		}
	}
	fmt.Fprintln(w, "the last line")
}

// register reports to the test that this process runs, and blocks until the test does
// not listen any more, so that nothing remains of a test that fails.
func register() {
	c, err := net.Dial("unix", os.Getenv(registerVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(96)
	}
	_, _ = io.Copy(io.Discard, c)
}

// startGrandchild starts a process as a program does that knows nothing of this package.
func startGrandchild(mode string, attributes *syscall.SysProcAttr) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), modeVariable+"="+mode)
	c.Stdin, c.Stdout, c.Stderr, c.SysProcAttr = os.Stdin, os.Stdout, os.Stderr, attributes
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(95)
	}
	return c
}

// registry is where processes report that they run.
type registry struct {
	t        *testing.T
	listener net.Listener
	path     string
}

func newRegistry(t *testing.T) *registry {
	dir, err := os.MkdirTemp("", "child") // the path of a socket may have 100 bytes
	require.NoError(t, err)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = l.Close()
		_ = os.RemoveAll(dir)
	})
	return &registry{t, l, path}
}

// in gives a program the address of the registry.
func (r *registry) in(c Command) Command {
	c.Env = append(c.Env, registerVariable+"="+r.path)
	return c
}

// next waits until a process has registered.
func (r *registry) next() liveProcess {
	r.t.Helper()
	require.NoError(r.t, r.listener.(*net.UnixListener).SetDeadline(time.Now().Add(maxWait)))
	c, err := r.listener.Accept()
	require.NoError(r.t, err, "no process has registered")
	r.t.Cleanup(func() { _ = c.Close() }) // it then ends
	return liveProcess{r.t, c}
}

// liveProcess is the connection of a process: the operating system closes it when it dies.
type liveProcess struct {
	t *testing.T
	c net.Conn
}

// waitDead waits until the process is dead.
func (l liveProcess) waitDead() {
	l.t.Helper()
	require.NoError(l.t, l.c.SetReadDeadline(time.Now().Add(maxWait)))
	_, err := l.c.Read(make([]byte, 1))
	require.Error(l.t, err)
	require.False(l.t, errors.Is(err, os.ErrDeadlineExceeded), "the process still runs")
}

// start starts a program that is stopped at the end of the test at the latest.
func start(t *testing.T, c Command) *Process {
	t.Helper()
	p, err := c.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

// within fails the test where f does not return.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(maxWait):
		require.Fail(t, "it hangs")
	}
}

// readLine reads a line of a program.
func readLine(t *testing.T, p *Process) string {
	t.Helper()
	line, err := bufio.NewReader(p.Stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}
