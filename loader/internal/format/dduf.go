package format

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"

	"omniloader/loader/fault"
	"omniloader/loader/internal/tree"
	"omniloader/loader/safetensors"
	"omniloader/loader/window"
)

// maxArchiveMembers is the number of files of an archive beyond which it is refused.
const maxArchiveMembers = 10_000

// readDDUF reads the headers of the safetensors files in a DDUF archive: a zip file of a
// whole pipeline, whose members are not compressed. Where a member is damaged, those
// before it are added all the same. Source: huggingface_hub, docs/hub/dduf.
func readDDUF(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	archive, err := zip.NewReader(window.Bounded(h, h.Size), h.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return Header{Unusable: true}, fault.New(fault.Truncated, f.Name, "a zip archive without its directory, which stands at the end").WithCause(err).WithHint("download the file again")
	}
	if len(archive.File) > maxArchiveMembers {
		return Header{Unusable: true}, fault.New(fault.TooLarge, f.Name, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), maxArchiveMembers))
	}
	var header Header
	for _, member := range archive.File {
		if path.Ext(member.Name) != ".safetensors" {
			continue
		}
		at, err := member.DataOffset()
		size := int64(member.UncompressedSize64)
		if err == nil && (member.Method != zip.Store || size < 0 || at > h.Size || size > h.Size-at) {
			err = fault.New(fault.Malformed, f.Name, fmt.Sprintf("%.80q in the archive is packed, or longer than the file", member.Name))
		}
		var tensors []Tensor
		if err == nil {
			prefix := []byte(path.Dir(member.Name) + "/")
			var summary safetensors.Summary
			summary, err = scanSafetensors(f.Name, io.NewSectionReader(h, at, size), size, func(t Tensor) {
				t.Name = append(prefix[:len(prefix):len(prefix)], t.Name...)
				tensors = append(tensors, t)
			})
			header.Findings = append(header.Findings, repeatedTensors(f.Name, &summary)...)
		}
		if err != nil {
			return Header{}, err
		}
		for _, t := range tensors {
			add(t)
		}
	}
	return header, nil
}
