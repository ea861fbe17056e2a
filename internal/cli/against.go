package cli

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/report"
	"omniloader/internal/suite"
)

type againstSettings struct {
	revision   string
	pkg        string
	layouts    count
	categories []string
	tags       string
	model      string
	threshold  share
	failOn     failOn
	format     string
	output     string
}

func (p *program) benchCommand() *cobra.Command {
	s := &againstSettings{
		pkg: ".", layouts: count{4, 4}, threshold: share{bench.DefaultThreshold}, failOn: failOnByDefault(), format: "text",
	}
	c := &cobra.Command{
		Use:   "bench --against REV [FEATURE…]",
		Short: "Compare the benchmarks of this source tree with those of another revision",
		Long: `Builds the program in the current directory twice, as it is and as it was at a
revision, and compares their benchmarks side by side. Where a binary puts its
functions alone moves a benchmark by 5 % and more, so that each side is linked
several times in random order, with functions aligned to 64 bytes, and judged by
the median of its layouts. A layout of the one side and a layout of the other take
turns, so that a slow phase of the machine falls on both. Where a benchmark looks
slower or faster, or its floor was not found, as many layouts more are looked at.

It needs Go, git, and a checkout; both revisions must know how to be sampled.`,
		Example: `  omniloader bench --against main
  omniloader bench --against HEAD~1 --format markdown >> "$GITHUB_STEP_SUMMARY"`,
		RunE: func(c *cobra.Command, args []string) error { return p.against(c.Context(), s, args) },
		Annotations: map[string]string{
			"held":   "no benchmark is red",
			"broken": "a benchmark is red",
			"unable": "could not judge: no Go toolchain or git, a revision that is not there or does\n     not build, nothing to compare, or more than a tenth without a verdict",
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&s.revision, "against", "", "the revision `REV` to compare with, as git names it")
	f.StringVar(&s.pkg, "package", s.pkg, "the `PACKAGE` of the program, from the current directory")
	f.Var(&s.layouts, "layouts", "random layouts of each side")
	f.StringArrayVar(&s.categories, "category", nil, "only benchmarks of this `NAME` of category; repeat it for more")
	f.StringVar(&s.tags, "tags", "", "only benchmarks for which the tag `EXPR` holds")
	f.StringVar(&s.model, "model", "", "a real checkpoint's `DIR` for scenarios tagged @real")
	f.Var(&s.threshold, "threshold", "slower by more than this is red")
	f.Var(&s.failOn, "fail-on", failOnHelp)
	f.StringVar(&s.format, "format", s.format, "report as `NAME`: "+strings.Join(report.ComparisonFormatNames(), ", "))
	f.StringVar(&s.output, "output", "", "write the figures of the current tree to this results `FILE`")
	_ = c.MarkFlagDirname("model")
	return c
}

// side is one of the two revisions that are compared.
type side struct {
	name    string
	dir     string // of its source
	commit  string // its code is that of this commit,
	changes string // but for changes that this names; "" where there are none
	seeds   []int
	samples []*bench.Samples
}

func (p *program) against(ctx context.Context, s *againstSettings, paths []string) (err error) {
	if s.revision == "" {
		return unable("omniloader bench --against main", "bench compares with a revision: --against is missing")
	}
	format, err := report.ComparisonFormatByName(s.format)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	if err := errors.Join(writable(s.output, nil), noFeatures(nil, nil, s.output)); err != nil {
		return err
	}
	for _, tool := range []string{"go", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			return unable("install it; two runs of one build are compared without it: omniloader run --baseline FILE", "bench builds both revisions, and there is no %s here: %w", tool, err)
		}
	}
	job := sampleJob{Tags: s.tags, Categories: s.categories, Model: s.model, Plan: p.samplingPlan(nil)}
	job.Plan.Processes = s.layouts.n
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		job.Paths = append(job.Paths, full)
	}
	if err := p.selectable(s.pkg, job); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "omniloader-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() != nil && !errors.Is(err, bench.ErrInterrupted) { // a tool that was ended too
			err = fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
		}
		err = errors.Join(err, os.RemoveAll(work))
	}()
	old, now, err := p.sides(ctx, s.revision, work)
	if err != nil {
		return err
	}

	comparison, file, err := p.compareLayouts(ctx, s, work, job, old, now)
	if err != nil {
		return err
	}
	file.Selection = selection(paths, s.categories, s.tags)
	if s.output != "" {
		if err := file.Write(s.output); err != nil {
			return err
		}
	}
	if err := standardOutput(format.Render(p.out, comparison, p.out.options())); err != nil {
		return err
	}
	return s.failOn.judge(comparison)
}

// compareLayouts samples layouts of both sides and compares them; the file is that of
// the current directory. Where that leaves anything unsure, it takes as many more.
func (p *program) compareLayouts(ctx context.Context, s *againstSettings, work string, job sampleJob, old, now *side) (comparison *bench.Comparison, file *bench.File, err error) {
	start := time.Now()
	busy := bench.WatchOtherLoad()
	for look, looks := 0, 1; look < looks; look++ {
		if look > 0 {
			p.note("looking again at what seems changed or is not clear yet, with %d more layouts of both sides", s.layouts.n)
		}
		for i := range s.layouts.n {
			p.note("layout %d of %d: building and sampling both sides", look*s.layouts.n+i+1, looks*s.layouts.n)
			// no seed of one side is used for the other: alike code must not get alike layouts
			seed := 1 + 2*(look*s.layouts.n+i)
			if err := p.sampleLayouts(ctx, s.pkg, work, job, []*side{old, now}, []int{seed, seed + 1}); err != nil {
				return nil, nil, err
			}
		}
		if comparison, file, err = compareSides(old, now, job.Plan, s.threshold.value, busy); err != nil {
			return nil, nil, err
		}
		if look == 0 && comparison.NeedsMoreSamples() {
			looks = 2
		}
	}
	n := len(now.samples[0].Benchmarks)
	p.note("sampled %d layouts of each side: %d %s, %s", len(now.samples), n, plural(n, "benchmark", "benchmarks"), time.Since(start).Round(time.Second))
	return comparison, file, nil
}

// selectable refuses a selection in which nothing is measured, before minutes are
// spent on building. It knows the scenarios of feature files and of this program
// itself, which stand for those of the current directory unless --package names
// another one.
func (p *program) selectable(pkg string, job sampleJob) error {
	if len(job.Paths) == 0 && pkg != "." {
		return nil
	}
	plan, err := planOf(job.Paths, suite.Selection{Tags: job.Tags, Categories: job.Categories})
	if err != nil {
		return err
	}
	if err := plan.Check(); err != nil {
		return err
	}
	if plan.Benchmarks() == 0 {
		return unable("a scenario is measured when it bounds latency or memory, or is tagged @benchmark", "nothing selected is measured, so there is nothing to compare")
	}
	return nil
}

// compareSides compares what was sampled so far; busy notes what else the machine did.
func compareSides(old, now *side, plan bench.Sampling, threshold float64, busy func(map[string]any)) (*bench.Comparison, *bench.File, error) {
	files := [2]*bench.File{}
	for i, s := range []*side{old, now} {
		var err error
		origin := bench.Origin{Time: time.Now(), GoVersion: s.samples[0].GoVersion, Platform: bench.Platform(), Environment: s.environment()}
		if files[i], err = bench.LinkOrderFile(origin, s.build(), plan, s.samples, s.seeds); err != nil {
			return nil, nil, err
		}
		busy(files[i].Environment)
	}
	comparison, err := bench.Compare(files[0], files[1], threshold)
	return comparison, files[1], err
}

// build names the code of a side.
func (s *side) build() string {
	if s.changes == "" {
		return s.commit
	}
	return s.commit + " with changes " + s.changes
}

// environment says where and of what the side was sampled: this program runs the
// command, and need not be of the same commit or version of Go.
func (s *side) environment() map[string]any {
	environment := fingerprint()
	for key := range bench.Host() {
		delete(environment, key)
	}
	maps.Copy(environment, s.samples[0].Environment)
	environment["commit"], environment["dirty"] = s.commit, s.changes != ""
	return environment
}

// sides finds the source of both sides: the current directory, and the revision,
// unpacked under work.
func (p *program) sides(ctx context.Context, revision, work string) (old, now *side, err error) {
	commit, err := output(ctx, "", "git", "rev-parse", "--verify", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, nil, unable("run it in a checkout, and name a revision that git log shows", "revision %q: %w", revision, err)
	}
	prefix, err := output(ctx, "", "git", "rev-parse", "--show-prefix")
	if err != nil {
		return nil, nil, err
	}
	top, err := output(ctx, "", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, nil, err
	}
	source := filepath.Join(work, "source")
	if err := unpack(ctx, top, commit, source); err != nil {
		return nil, nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	old = &side{name: "revision " + revision, dir: filepath.Join(source, filepath.FromSlash(prefix)), commit: commit}
	now = &side{name: "the current directory", dir: "."}
	if now.commit, now.changes, err = workingTree(ctx, top, work); err != nil {
		return nil, nil, fmt.Errorf("the current directory: %w", err)
	}
	return old, now, nil
}

// workingTree gives the commit that is checked out, and a name of what the files of
// the checkout have become since, "" where they are the commit's. The name is that of
// a git tree, which is put together under work: the repository is left as it is.
func workingTree(ctx context.Context, top, work string) (commit, changes string, err error) {
	git := func(args ...string) (out string) {
		if err == nil {
			out, err = output(ctx, top, "git", args...)
		}
		return out
	}
	commit = git("rev-parse", "--verify", "HEAD^{commit}")
	committed := git("rev-parse", "--verify", "HEAD^{tree}")
	objects := git("rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return "", "", err
	}
	aside := tool{dir: top, env: []string{
		"GIT_INDEX_FILE=" + filepath.Join(work, "index"),
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(work, "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
	}}
	if err := os.Mkdir(filepath.Join(work, "objects"), 0o755); err != nil {
		return "", "", err
	}
	for _, args := range [][]string{{"read-tree", "HEAD"}, {"add", "--all"}} {
		if _, err := aside.output(ctx, "git", args...); err != nil {
			return "", "", err
		}
	}
	tree, err := aside.output(ctx, "git", "write-tree")
	if err != nil || tree == committed {
		return commit, "", err
	}
	return commit, tree, nil
}

// output runs a tool in a folder, and gives what it prints, without the end of the
// line.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	return tool{dir: dir}.output(ctx, name, args...)
}

// tool is where a tool runs.
type tool struct {
	dir string   // "" for the current one
	env []string // added to the environment
}

func (t tool) output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = t.dir, append(os.Environ(), t.env...)
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	endGently(c) // go removes what it builds in
	if err := c.Run(); err != nil {
		err = endedBy(ctx, err, complaint.String())
		if errors.Is(err, bench.ErrInterrupted) {
			return "", err
		}
		return "", fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return strings.TrimRight(out.String(), "\r\n"), nil
}

// unpack writes the files of a commit into a directory. Unlike a worktree, that
// leaves nothing behind in the repository, however it ends.
func unpack(ctx context.Context, top, commit, dir string) (err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // nothing is written outside of it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	c := exec.CommandContext(ctx, "git", "-C", top, "archive", "--format=tar", commit)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	archive, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	unpacked := untar(root, archive)
	_, _ = io.Copy(io.Discard, archive) // git ends only when all is read
	if err := c.Wait(); err != nil {
		return fmt.Errorf("git archive: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return unpacked
}

func untar(root *os.Root, archive io.Reader) error {
	files := tar.NewReader(archive)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.FromSlash(strings.TrimSuffix(header.Name, "/"))
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeSymlink:
			err = root.Symlink(header.Linkname, name)
		case tar.TypeReg:
			err = writeFile(root, name, files)
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, content io.Reader) (err error) {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, content)
	return err
}

// sampleLayouts links each side in the order of a seed of its own, and takes samples of
// both, which take turns.
func (p *program) sampleLayouts(ctx context.Context, pkg, work string, job sampleJob, sides []*side, seeds []int) error {
	var processes []samplingProcess
	for i, s := range sides {
		binary, err := s.link(ctx, pkg, work, seeds[i])
		if err != nil {
			return err
		}
		job.Seed, job.Memory = uint64(time.Now().UnixNano()), len(s.samples) == 0
		command := func(ctx context.Context) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, binary, sampleProcess), nil
		}
		processes = append(processes, samplingProcess{s.name, command, job})
		defer os.Remove(binary) // the directory it is in is removed anyway, later
	}
	samples, err := inTurns(ctx, processes)
	switch {
	case errors.Is(err, bench.ErrInterrupted):
		return err
	case errors.Is(err, bench.ErrSamplingMismatch) || err != nil && strings.Contains(err.Error(), bench.ErrSamplingMismatch.Error()): // said here, or there
		return unable("both sides are sampled in one way or not compared: run the omniloader of the current directory, go run . bench, and name a revision that samples as it does", "%w", err)
	case err != nil && strings.Contains(err.Error(), sampleProcess): // which it does not know
		return unable("a revision that can be sampled knows the command "+sampleProcess, "%w", err)
	case err != nil:
		return err
	}
	for i, s := range sides {
		s.samples, s.seeds = append(s.samples, samples[i]), append(s.seeds, seeds[i])
	}
	return nil
}

// link builds a side's program in the order of a seed, and says where it is.
func (s *side) link(ctx context.Context, pkg, work string, seed int) (binary string, err error) {
	binary = filepath.Join(work, fmt.Sprintf("layout-%d", seed))
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	_, err = output(ctx, s.dir, "go", "build", "-trimpath", "-buildvcs=false",
		fmt.Sprintf("-ldflags=-funcalign=%d -randlayout=%d", bench.FunctionAlignment, seed), "-o", binary, pkg)
	if err != nil && !errors.Is(err, bench.ErrInterrupted) {
		err = fmt.Errorf("%s does not build: %w", s.name, err)
	}
	return binary, err
}
