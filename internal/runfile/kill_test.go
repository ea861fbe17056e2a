package runfile

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// killedRun names the run file of the process that TestAKilledRun starts.
const killedRun = "RUNFILE_TEST_KILLED_RUN"

func TestAKilledRun(t *testing.T) {
	if path := os.Getenv(killedRun); path != "" {
		writeForEver(t, path)
	}
	path := filepath.Join(t.TempDir(), DefaultPath)
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(program, "-test.run=^TestAKilledRun$")
	c.Env = append(os.Environ(), killedRun+"="+path)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	var ended []string
	for len(ended) < 200 && lines.Scan() {
		ended = append(ended, lines.Text())
	}
	require.NoError(t, c.Process.Kill())
	for lines.Scan() { // what ended before the signal came
		ended = append(ended, lines.Text())
	}
	require.Error(t, c.Wait())
	require.GreaterOrEqual(t, len(ended), 200)

	file, err := ReadFile(path)
	require.NoError(t, err)
	assert.Nil(t, file.End)
	found := map[string]bool{}
	for _, s := range file.Scenarios {
		found[s.ID] = true
	}
	for _, id := range ended {
		assert.True(t, found[id], id)
	}
	assert.True(t, file.ToOutcome().Interrupted)
	renderings(t, file.ToOutcome())
}

// writeForEver writes scenarios, and says of each that it has ended, until it is killed.
func writeForEver(t *testing.T, path string) {
	file := FromOutcome(sample(t), Header{}, sampleDetails)
	w, err := Create(path, file.Header, file.Features, noWarning(t))
	require.NoError(t, err)
	s := file.Scenarios[2]
	for i := 0; ; i++ {
		s.ID = fmt.Sprintf("%016x", i)
		w.Scenario(&s)
		fmt.Println(s.ID)
	}
}
