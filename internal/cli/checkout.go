package cli

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"omniloader/internal/bench"
)

// findRevisions finds the sources of a revision, unpacked below tempDir, and of the
// current directory.
func findRevisions(ctx context.Context, name, tempDir string) (old, current *revision, err error) {
	here := tool{}
	commit, err := here.output(ctx, "git", "rev-parse", "--verify", "--end-of-options", name+"^{commit}")
	if err != nil {
		return nil, nil, errorWithHint("run it in a checkout, and name a revision that git log shows", "revision %q: %w", name, err)
	}
	prefix, err := here.output(ctx, "git", "rev-parse", "--show-prefix")
	if err != nil {
		return nil, nil, err
	}
	top, err := here.output(ctx, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, nil, err
	}
	source := filepath.Join(tempDir, "source")
	if err := unpackCommit(ctx, top, commit, source); err != nil {
		return nil, nil, fmt.Errorf("revision %q: %w", name, err)
	}
	old = &revision{name: "revision " + name, dir: filepath.Join(source, filepath.FromSlash(prefix)), commit: commit}
	current = &revision{name: "the current directory", dir: "."}
	if current.commit, current.changes, err = workingTree(ctx, top, tempDir); err != nil {
		return nil, nil, fmt.Errorf("the current directory: %w", err)
	}
	return old, current, nil
}

// workingTree gives the commit that is checked out, and git's id of the tree of the files
// as they are now, "" where that is the tree of the commit. The objects of that tree are
// written below tempDir, so that the repository is not changed.
func workingTree(ctx context.Context, top, tempDir string) (commit, changes string, err error) {
	git := func(args ...string) (out string) {
		if err == nil {
			out, err = tool{dir: top}.output(ctx, "git", args...)
		}
		return out
	}
	commit = git("rev-parse", "--verify", "HEAD^{commit}")
	committed := git("rev-parse", "--verify", "HEAD^{tree}")
	objects := git("rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return "", "", err
	}
	separate := tool{dir: top, env: []string{
		"GIT_INDEX_FILE=" + filepath.Join(tempDir, "index"),
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(tempDir, "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
	}}
	if err := os.Mkdir(filepath.Join(tempDir, "objects"), 0o755); err != nil {
		return "", "", err
	}
	for _, args := range [][]string{{"read-tree", "HEAD"}, {"add", "--all"}} {
		if _, err := separate.output(ctx, "git", args...); err != nil {
			return "", "", err
		}
	}
	tree, err := separate.output(ctx, "git", "write-tree")
	if err != nil || tree == committed {
		return commit, "", err
	}
	return commit, tree, nil
}

// tool is where a command such as git is run.
type tool struct {
	dir string   // "" for the current one
	env []string // added to the environment
}

// output runs a command and gives its standard output, without the line break at the end.
func (t tool) output(ctx context.Context, name string, args ...string) (string, error) {
	const maxOutput = 1 << 20 // bytes; git answers in a line here
	c := interruptibleCommand(name, args...)
	c.Dir, c.Env = t.dir, append(os.Environ(), t.env...)
	stdout, err := c.Output(ctx, nil, maxOutput)
	if err != nil {
		err = explainExit(ctx, err)
		if errors.Is(err, bench.ErrInterrupted) {
			return "", err
		}
		return "", fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return strings.TrimRight(string(stdout), "\r\n"), nil
}

// unpackCommit writes the files of a commit into a new directory. Unlike a worktree, that
// leaves nothing in the repository, whatever happens.
func unpackCommit(ctx context.Context, top, commit, dir string) (err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // nothing is written outside of it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	git, err := interruptibleCommand("git", "-C", top, "archive", "--format=tar", commit).Start(ctx)
	if err != nil {
		return fmt.Errorf("git archive: %w", explainExit(ctx, err))
	}
	unpacked := untar(root, git.Stdout)
	if err := git.Wait(); err != nil {
		return fmt.Errorf("git archive: %w", explainExit(ctx, err))
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
