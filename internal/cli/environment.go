package cli

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
	"omniloader/steps"
)

// The environment variables that are used where their flag is not given.
const (
	envIterations = "BENCHMARK_ITERATIONS"
	envWarmup     = "BENCHMARK_WARMUP"
	envModel      = "TEST_MODEL_PATH"
	envOutput     = "OMNILOADER_OUTPUT"
	envPresets    = "OMNILOADER_PRESETS"
	envOutside    = "OMNILOADER_ALLOW_OUTSIDE"
	envJudgeTime  = "OMNILOADER_JUDGE_TIME" // has no flag: run always judges time
)

// variableOf gives the variable that is used where a flag of run is not given.
var variableOf = map[string]string{"iterations": envIterations, "warmup": envWarmup, "model": envModel, "presets": envPresets, "allow-outside": envOutside, "output": envOutput}

// Environment is what the environment variables ask for.
type Environment struct {
	Plan   bench.Plan
	Models []string // directories of real checkpoints
	// Checkpoints says which checkpoints Given steps may use.
	Checkpoints steps.Checkpoints
	Output      string // path of the results file to write, or ""
	// JudgeTime says whether bounds on time are judged; nil where the variable is not set.
	// The command run does not ask for it.
	JudgeTime *bool
}

// ReadEnvironment reads the variables that running scenarios without the command run
// honours; an empty variable counts as unset. The error names the variable.
func ReadEnvironment() (Environment, error) {
	e, err := readEnvironment(func(string) bool { return false })
	if err != nil {
		return e, err
	}
	switch text := os.Getenv(envJudgeTime); text {
	case "":
	case "0", "1":
		judge := text == "1"
		e.JudgeTime = &judge
	default:
		return e, errorWithHint("set it to 1 or 0, or unset it", "environment variable %s: %q is neither 1 nor 0", envJudgeTime, text)
	}
	return e, nil
}

// readEnvironment leaves a variable unchecked where its flag is given, since the flag
// is used instead.
func readEnvironment(flagGiven func(variable string) bool) (Environment, error) {
	wanted := slices.DeleteFunc([]string{envIterations, envWarmup, envModel, envPresets, envOutside, envOutput, envJudgeTime}, flagGiven)
	if err := refuseMistypedVariables(os.Environ(), wanted); err != nil {
		return Environment{}, err
	}
	e := Environment{Plan: bench.DefaultPlan(), Output: os.Getenv(envOutput)}
	for _, v := range []struct {
		name   string
		number *int
		least  int
	}{{envIterations, &e.Plan.Iterations, 1}, {envWarmup, &e.Plan.Warmup, 0}} {
		text := os.Getenv(v.name)
		if text == "" || flagGiven(v.name) {
			continue
		}
		n, err := parseCount(text, v.least)
		if err != nil {
			return e, errorWithHint("unset it, or set it to a number such as 100", "environment variable %s: %q: %w", v.name, text, err)
		}
		*v.number = n
	}
	if !flagGiven(envModel) {
		var err error
		if e.Models, err = checkModels(splitList(os.Getenv(envModel))); err != nil {
			return e, fmt.Errorf("environment variable %s: %w", envModel, err)
		}
	}
	if !flagGiven(envPresets) {
		var err error
		if e.Checkpoints.Presets, err = presetsOfEnvironment(); err != nil {
			return e, err
		}
	}
	if !flagGiven(envOutside) {
		var err error
		if e.Checkpoints.AllowOutside, err = outsideOfEnvironment(); err != nil {
			return e, err
		}
	}
	return e, nil
}

// variableTypos is the number of letters by which the name of a variable may differ from one
// of ours to be taken for it, mistyped.
const variableTypos = 2

// refuseMistypedVariables refuses a variable whose name is that of one that is read, mistyped:
// its value would be ignored, and nothing would say so. environment has entries "NAME=value", as
// os.Environ gives them; those with an empty value count as unset.
func refuseMistypedVariables(environment, read []string) error {
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || slices.Contains(read, name) || runtime.GOOS == "windows" && slices.Contains(read, strings.ToUpper(name)) {
			continue
		}
		if near, ok := suggest.NearestWithin(name, read, variableTypos); ok {
			return errorWithHint(suggest.Question(near)+" Unset the other one", "environment variable %s: it is not read", name)
		}
	}
	return nil
}
