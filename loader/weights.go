package loader

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/jsonscan"
)

// weightFormat is a kind of weight file, told by its name. The first that fits
// a directory is the one its loader takes.
type weightFormat struct {
	format string
	suffix string
	index  string // the file that maps tensors to shards, "" where there is none
}

var weightFormats = []weightFormat{
	{"safetensors", ".safetensors", ".safetensors.index.json"},
	{"gguf", ".gguf", ""},
	{"pytorch", ".bin", ".bin.index.json"},
	{"pytorch", ".pt", ""},
	{"pytorch", ".pth", ""},
	{"numpy", ".npz", ""},
	{"onnx", ".onnx", ""},
	{"tensorflow", ".h5", ""},
	{"flax", ".msgpack", ""},
}

// fileInfo is a file below a checkpoint.
type fileInfo struct {
	name string // relative to the checkpoint
	size int64
}

// weights describes the weight files among files, nil where there are none, and
// reports shards that are missing.
func (c *checkpoint) weights(files []fileInfo) (*WeightsInfo, []Finding) {
	for _, format := range weightFormats {
		w := &WeightsInfo{Format: format.format, Files: []string{}, DTypes: map[string]int64{}, Complete: true}
		for _, f := range files {
			if strings.HasSuffix(f.name, format.suffix) && path.Base(f.name) != "training_args.bin" {
				w.Files = append(w.Files, f.name)
				w.Bytes += f.size
			}
		}
		if len(w.Files) == 0 {
			if format.index == "" || !slices.ContainsFunc(files, func(f fileInfo) bool { return strings.HasSuffix(f.name, format.index) }) {
				continue
			}
		}
		return w, c.checkShards(w, files, format.index)
	}
	return nil, nil
}

// checkShards holds the indexes against the files that are there.
func (c *checkpoint) checkShards(w *WeightsInfo, files []fileInfo, suffix string) (findings []Finding) {
	if suffix == "" {
		return nil
	}
	for _, f := range files {
		if !strings.HasSuffix(f.name, suffix) {
			continue
		}
		shards, err := c.indexShards(f.name)
		if err != nil {
			w.Complete = false
			findings = append(findings, Finding{SeverityError, CodeConfigUnreadable, f.name, withoutPath(err), hintOf(err)})
			continue
		}
		for _, shard := range shards {
			name := path.Join(path.Dir(f.name), shard)
			if !slices.ContainsFunc(files, func(f fileInfo) bool { return f.name == name }) {
				w.Complete = false
				findings = append(findings, Finding{SeverityError, CodeShardMissing, name,
					"named by " + f.name + ", and not there", "download it again; loading without it gives garbage"})
			}
		}
	}
	return findings
}

// indexShards lists the files that an index names, sorted.
func (c *checkpoint) indexShards(name string) (shards []string, err error) {
	data, err := readFile(c.fsys, c.dir, name, MaxConfigSize)
	if err != nil {
		return nil, err
	}
	s := jsonscan.New(data)
	seen := map[string]bool{}
	err = walkObject(name, data, &s, func(key []byte) error {
		if string(key) != "weight_map" {
			_, err := s.Raw()
			return err
		}
		return s.Object(func([]byte) error {
			shard, err := s.Text()
			if err == nil && !seen[string(shard)] {
				seen[string(shard)] = true
				shards = append(shards, string(shard))
			}
			return err
		})
	})
	slices.Sort(shards)
	return shards, err
}

// maxFiles bounds how many files of one checkpoint are looked at.
const maxFiles = 100_000

// walk lists every file below the checkpoint with its size, links followed for
// files, sorted by name.
func (c *checkpoint) walk() (files []fileInfo, findings []Finding) {
	err := fs.WalkDir(c.fsys, c.dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			findings = append(findings, Finding{SeverityWarning, CodeFileUnreadable, relative(c.dir, p), cause(err), "check the permissions"})
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if p != c.dir && strings.HasPrefix(e.Name(), ".git") {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			info, err = fs.Stat(c.fsys, p)
		}
		if err != nil {
			findings = append(findings, Finding{SeverityError, CodeFileUnreadable, relative(c.dir, p), "cannot be followed: " + cause(err), "the link leads nowhere: download the file again"})
			return nil
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		files = append(files, fileInfo{relative(c.dir, p), info.Size()})
		if len(files) == maxFiles {
			findings = append(findings, Finding{SeverityNote, CodeTooManyFiles, "",
				"more than " + strconv.Itoa(maxFiles) + " files; the rest was not looked at", "give the directory of one checkpoint"})
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		findings = append(findings, Finding{SeverityWarning, CodeFileUnreadable, "", cause(err), ""})
	}
	return files, findings
}

func relative(dir, p string) string {
	if dir == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
}
