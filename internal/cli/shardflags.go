package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"omniloader/internal/quantity"
	"omniloader/internal/runfile"
	"omniloader/internal/suite"
)

// The environment variables in which CI systems tell a job which of several it is. They
// are asked for by --shard env alone.
const (
	envNodeIndex       = "CI_NODE_INDEX"        // of GitLab, from 1
	envNodeTotal       = "CI_NODE_TOTAL"        // of GitLab
	envCompletionIndex = "JOB_COMPLETION_INDEX" // of a Kubernetes Indexed Job, from 0
)

// shardFlags are the flags of run that choose a shard, as given.
type shardFlags struct {
	set       *pflag.FlagSet
	shard     string
	durations string
}

func (f *shardFlags) define(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.shard, "shard", "", "run part `I/N` of the scenarios, from 1/N to N/N; env takes it\nfrom CI_NODE_INDEX and CI_NODE_TOTAL, env/N from\nJOB_COMPLETION_INDEX; omniloader merge puts the parts together")
	set.StringVar(&f.durations, "shard-durations", "", "divide by the durations in this run `FILE` of an earlier run,\nthe same for all shards")
}

// shardSettings is the part of a run that was divided.
type shardSettings struct {
	runfile.Shard
	durations *runfile.Durations // or nil
}

// settings checks the flags; it is nil where the run is not divided.
func (f *shardFlags) settings() (*shardSettings, error) {
	if !f.set.Changed("shard") {
		if f.set.Changed("shard-durations") {
			return nil, errorWithHint("name the shard too: --shard 1/4", "--shard-durations: the run is not divided")
		}
		return nil, nil
	}
	shard, err := parseShard(f.shard, os.Getenv)
	if err != nil {
		return nil, err
	}
	for _, flag := range []string{"baseline", "save-baseline"} {
		if f.set.Changed(flag) {
			return nil, errorWithHint("compare in a run of its own, without --shard", "--shard and --%s: a baseline needs the benchmarks of one machine", flag)
		}
	}
	s := &shardSettings{Shard: shard}
	if !f.set.Changed("shard-durations") {
		return s, nil
	}
	if f.durations == "" {
		return nil, errorWithHint("name a run file, or leave the flag out", "--shard-durations: empty")
	}
	s.durations, err = runfile.ReadDurations(f.durations)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errorWithHint("leave the flag out where there is no earlier run, in all shards alike", "--shard-durations: %w", err)
	case err != nil:
		return nil, fmt.Errorf("--shard-durations: %w", err)
	}
	s.DurationsHash = s.durations.Hash
	return s, nil
}

var shardNumbers = regexp.MustCompile(`^([0-9]+)/([0-9]+)$`)

// parseShard reads the value of --shard: 3/8, env or env/8.
func parseShard(text string, getenv func(string) string) (runfile.Shard, error) {
	if text == "env" || strings.HasPrefix(text, "env/") {
		fromEnvironment, err := shardOfEnvironment(text, getenv)
		if err != nil {
			return runfile.Shard{}, err
		}
		shard, err := parseShardNumbers(fromEnvironment)
		if err != nil {
			return shard, fmt.Errorf("--shard %s: the environment says %s, and %w", text, fromEnvironment, err)
		}
		return shard, nil
	}
	shard, err := parseShardNumbers(text)
	if err != nil {
		return shard, fmt.Errorf("--shard %s: %w", text, err)
	}
	return shard, nil
}

func parseShardNumbers(text string) (runfile.Shard, error) {
	numbers := shardNumbers.FindStringSubmatch(text)
	if numbers == nil {
		return runfile.Shard{}, errorWithHint("write which part of how many: --shard 3/8", "not a part such as 3/8")
	}
	index, indexErr := strconv.Atoi(numbers[1])
	total, totalErr := strconv.Atoi(numbers[2])
	switch {
	case totalErr != nil || total < 1 || total > runfile.MaxShards:
		return runfile.Shard{}, errorWithHint("", "the number of parts is from 1 to %d", runfile.MaxShards)
	case indexErr != nil || index < 1 || index > total:
		return runfile.Shard{}, errorWithHint(fmt.Sprintf("parts count from 1: 1/%d to %d/%d", total, total, total), "there is no part %s of %d", numbers[1], total)
	}
	return runfile.Shard{Index: index, Total: total}, nil
}

// shardOfEnvironment writes the shard that the environment names: "3/8".
func shardOfEnvironment(text string, getenv func(string) string) (string, error) {
	_, total, given := strings.Cut(text, "/")
	node, nodes, completion := getenv(envNodeIndex), getenv(envNodeTotal), getenv(envCompletionIndex)
	fail := func(hint, format string, args ...any) (string, error) {
		return "", errorWithHint(hint, "--shard %s: "+format, append([]any{text}, args...)...)
	}
	switch {
	case node != "" && completion != "":
		return fail("write the part itself: --shard 3/8", "both %s and %s are set", envNodeIndex, envCompletionIndex)
	case node == "" && completion == "":
		return fail("in a GitLab job, set parallel; in a Kubernetes Job, completionMode: Indexed; elsewhere write --shard 3/8",
			"neither %s nor %s is set", envNodeIndex, envCompletionIndex)
	case node != "" && given && nodes != "" && nodes != total:
		return fail("leave the number out: --shard env", "%s is %s", envNodeTotal, nodes)
	case node != "" && !given && nodes == "":
		return fail("say how many parts there are: --shard env/8", "%s is not set", envNodeTotal)
	case node != "" && given:
		return node + "/" + total, nil
	case node != "":
		return node + "/" + nodes, nil
	case !given:
		return fail("say how many parts there are, the completions of the Job: --shard env/8", "%s does not say how many parts there are", envCompletionIndex)
	}
	index, err := parseCount(completion, 0) // counts from 0
	if err != nil {
		return fail("", "%s: %q: %w", envCompletionIndex, completion, err)
	}
	return fmt.Sprintf("%d/%s", index+1, total), nil
}

// divide gives the shard of a plan that the run is of, and says how large it is.
func (p *program) divide(plan *suite.Plan, shard *shardSettings) *suite.Plan {
	if shard == nil {
		return plan
	}
	part := plan.Shard(shard.Shard, shard.durations)
	n, all := len(part.Scenarios()), len(plan.Scenarios())
	if n == 0 {
		p.note("shard %s is empty: there are %s to divide", shard, quantity.Count(all, "scenario"))
	} else {
		p.note("shard %s: %d of %s", shard, n, quantity.Count(all, "scenario"))
	}
	return part
}
