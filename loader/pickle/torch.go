package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// A compressed member may have unpackedBase bytes and unpackedRatio times its
// compressed size. torch stores members uncompressed, and real pickles compress to a
// fifth at best.
const (
	unpackedBase  = 1 << 20
	unpackedRatio = 32
	maxNote       = 256     // bytes of the members version and byteorder
	maxMembers    = 1 << 20 // files in an archive
)

// readZip reads torch's zip container: <root>/data.pkl, <root>/data/<key> for the
// storages, <root>/version and <root>/byteorder (caffe2/serialize/inline_container.h).
func readZip(r io.ReaderAt, size int64, name string) (*File, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fault.New(fault.Truncated, name, "a zip archive without its directory, which stands at the end").
			WithCause(err).WithHint("the download did not end, or the file was cut: download it again")
	}
	f := &File{Path: name, Size: size, Container: Zip, Trailing: -1}
	if len(archive.File) == 0 {
		return nil, fault.New(NotTorch, name, "an empty zip archive")
	}
	if len(archive.File) > maxMembers {
		return nil, fault.New(fault.TooLarge, name, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), maxMembers))
	}
	main := f.findMembers(archive)
	if main == nil {
		return nil, notTorch(archive, name)
	}

	found := &imports{}
	defer func() { f.Imports = found.list }()
	if err := f.readMember(r, main, found, true); err != nil {
		return f, err
	}
	// Other pickles (constants.pkl of TorchScript) are read for their imports.
	for _, member := range archive.File {
		if member != main && strings.EqualFold(path.Ext(member.Name), ".pkl") && f.Pickles < maxPickles {
			if err := f.readMember(r, member, found, false); err != nil {
				f.problem(err)
			}
		}
	}
	f.matchStorages(archive)
	f.checkStorages()
	return f, nil
}

// findMembers returns data.pkl, and reads the members that describe the archive. The
// root is the directory of the first entry, as for torch.
func (f *File) findMembers(archive *zip.Reader) *zip.File {
	first, _, _ := strings.Cut(archive.File[0].Name, "/")
	var main *zip.File
	for _, member := range archive.File {
		root, base, _ := strings.Cut(member.Name, "/")
		if base == "data.pkl" && (main == nil || root == first && f.Root != first) {
			main, f.Root = member, root
		}
	}
	if main == nil {
		return nil
	}
	for _, member := range archive.File {
		rest, inside := strings.CutPrefix(member.Name, f.Root+"/")
		if !inside {
			continue
		}
		switch {
		case rest == "version":
			f.Version = shortText(member)
		case rest == "byteorder":
			f.ByteOrder = shortText(member)
		case strings.HasPrefix(rest, "code/"):
			f.TorchScript = true
		}
	}
	return main
}

// shortText reads a small member of the archive as text.
func shortText(member *zip.File) string {
	in, err := member.Open()
	if err != nil {
		return ""
	}
	defer in.Close()
	b, _ := io.ReadAll(io.LimitReader(in, maxNote)) // a damaged member counts as absent
	return strings.TrimSpace(string(b))
}

func notTorch(archive *zip.Reader, name string) error {
	err := fault.New(NotTorch, name, fmt.Sprintf("a zip archive of %d files without data.pkl, the first is %.80q", len(archive.File), archive.File[0].Name))
	switch {
	case strings.HasSuffix(archive.File[0].Name, ".npy"):
		return err.WithHint("these are numpy arrays: rename it to .npz")
	case strings.HasSuffix(archive.File[0].Name, ".pkl"), strings.HasSuffix(archive.File[0].Name, ".pth"), strings.HasSuffix(archive.File[0].Name, ".bin"):
		return err.WithHint("a checkpoint packed once more: unpack it first")
	}
	return err
}

// readMember reads one pickle of the archive; of the main one the tensors too.
func (f *File) readMember(r io.ReaderAt, member *zip.File, found *imports, main bool) error {
	in, done, err := f.member(r, member)
	if err != nil {
		return err
	}
	found.member, found.base = member.Name, 0
	if member.Method == zip.Store {
		found.base, err = member.DataOffset()
		if err != nil {
			return f.zipFault(member, err)
		}
	}
	m, root, err := f.walk(in, found)
	f.Fetched += in.Fetched()
	if main {
		f.collect(m, root)
	}
	if err != nil {
		return err
	}
	return done()
}

func (f *File) zipFault(member *zip.File, err error) error {
	kind := fault.Malformed
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		kind = fault.Truncated
	}
	return fault.New(kind, f.Path, fmt.Sprintf("%.200q in the archive", member.Name)).WithCause(err).WithHint(damaged)
}

// member opens a member of the archive. An uncompressed one, as torch writes it, is
// read in place before its checksum is verified: torch loads it even so, and a wrong
// checksum must not hide a pickle. done verifies the checksum.
func (f *File) member(r io.ReaderAt, member *zip.File) (in *window.Reader, done func() error, err error) {
	ok := func() error { return nil }
	if member.Method == zip.Store {
		offset, err := member.DataOffset()
		if err != nil {
			return nil, nil, f.zipFault(member, err)
		}
		size := member.UncompressedSize64
		if offset < 0 || offset > f.Size || size > uint64(f.Size-offset) {
			return nil, nil, fault.At(fault.Truncated, f.Path, min(offset, f.Size), fmt.Sprintf("%.200q of %d bytes", member.Name, size)).WithHint(damaged)
		}
		part := io.NewSectionReader(r, offset, int64(size))
		return window.New(part, int64(size), f.Path, offset), func() error { return f.checksum(member, part) }, nil
	}
	// The size that the archive claims is checked before anything is unpacked, and
	// no more than that is unpacked.
	limit := unpackedBase + unpackedRatio*min(member.CompressedSize64, uint64(f.Size))
	claimed := member.UncompressedSize64
	if claimed > min(limit, maxOpcodeBytes) {
		return nil, nil, fault.New(ZipBomb, f.Path, fmt.Sprintf("%.200q unpacks from %d to %d bytes", member.Name, member.CompressedSize64, claimed)).
			WithHint("torch stores its pickles unpacked: this archive was packed to do harm, or by another tool")
	}
	body, err := member.Open()
	if err != nil {
		return nil, nil, f.zipFault(member, err)
	}
	defer body.Close()
	b := make([]byte, claimed)
	n, err := io.ReadFull(body, b)
	b = b[:n]
	if err == nil {
		// Reading to the end of the member makes archive/zip verify its checksum.
		var more [1]byte
		if n, err = body.Read(more[:]); n == 0 && err == io.EOF {
			err = nil
		} else if err == nil {
			err = zip.ErrFormat
		}
	}
	if err != nil {
		cause := err
		ok = func() error { return f.zipFault(member, cause) }
		if errors.Is(err, zip.ErrChecksum) {
			ok = func() error {
				return fault.New(ChecksumMismatch, f.Path, fmt.Sprintf("%.200q", member.Name)).WithHint(damaged)
			}
		}
	}
	return window.New(bytes.NewReader(b), int64(len(b)), f.Path, 0), ok, nil
}

// checksum compares an uncompressed member with the archive's CRC. A member beyond
// the limit on pickles is not read for its checksum alone.
func (f *File) checksum(member *zip.File, part *io.SectionReader) error {
	if part.Size() > maxOpcodeBytes {
		return nil
	}
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, io.NewSectionReader(part, 0, part.Size())); err != nil {
		return f.zipFault(member, err)
	}
	if sum.Sum32() != member.CRC32 {
		f.problem(fault.New(ChecksumMismatch, f.Path, fmt.Sprintf("%.200q", member.Name)).WithHint(damaged))
	}
	return nil
}

// matchStorages compares the storages that the pickle names with the archive's
// files.
func (f *File) matchStorages(archive *zip.Reader) {
	sizes := make(map[string]uint64, len(archive.File))
	for _, member := range archive.File {
		sizes[member.Name] = member.UncompressedSize64
	}
	for i := range f.Storages {
		s := &f.Storages[i]
		size, have := sizes[f.Root+"/data/"+s.Key]
		switch {
		case !have:
			f.problem(fault.New(MissingStorage, f.Path, fmt.Sprintf("%.200q is not in the archive", f.Root+"/data/"+s.Key)).WithHint(damaged))
		case s.Bytes > 0 && size != uint64(s.Bytes):
			f.problem(fault.New(WrongStorageSize, f.Path, fmt.Sprintf("%.200q has %d bytes, the pickle says %d", f.Root+"/data/"+s.Key, size, s.Bytes)).WithHint(damaged))
		}
	}
}

// legacyProtocol is the protocol number of files without a container.
const legacyProtocol = 1001

// readLegacy reads what follows the magic number of a file without a container:
// the protocol, the writer's system, the object, the list of storage keys, and
// the storages, each a count of 8 bytes and its data (torch/serialization.py,
// _legacy_save).
func (f *File) readLegacy(w *window.Reader, found *imports) error {
	m, root, err := f.walk(w, found)
	if err != nil {
		return err
	}
	if n, ok := m.intOf(root); !ok || n != legacyProtocol {
		return w.Fault(BadLegacy, w.Offset(), "protocol %d where %d belongs", n, legacyProtocol)
	}
	if m, root, err = f.walk(w, found); err != nil {
		return err
	}
	of := m.elements(root)
	for i := 0; i+1 < len(of); i += 2 {
		if m.textOf(of[i]) == "little_endian" && m.node(of[i+1]).kind == boolean {
			f.ByteOrder = map[int64]string{1: "little", 0: "big"}[m.node(of[i+1]).n]
		}
	}
	m, root, err = f.walk(w, found)
	f.collect(m, root)
	if err != nil {
		return err
	}
	if m, root, err = f.walk(w, found); err != nil {
		return err
	}
	f.checkStorages()
	return f.walkStorages(w, m, root)
}

// walkStorages checks the storages' order and counts, and skips their data.
func (f *File) walkStorages(w *window.Reader, m *machine, root ref) error {
	pending := make(map[string]*Storage, len(f.Storages))
	for i := range f.Storages {
		pending[f.Storages[i].Key] = &f.Storages[i]
	}
	for _, r := range m.elements(root) {
		key := m.textOf(r)
		s := pending[key]
		if s == nil || s.Bytes == 0 && s.Elements > 0 {
			return w.Fault(BadLegacy, w.Offset(), "storage %.80q is not one of the pickle's", key)
		}
		delete(pending, key)
		b, err := w.Next(8)
		if err != nil {
			return w.Fault(fault.Truncated, w.Offset(), "storage %.80q is missing", key).WithHint(damaged)
		}
		if n := binary.LittleEndian.Uint64(b); n != uint64(s.Elements) {
			f.problem(w.Fault(WrongStorageSize, w.Offset()-8, "storage %.80q has %d elements, the pickle says %d", key, n, s.Elements).WithHint(damaged))
			return nil // where the next storage begins is unknown
		}
		if err := w.Skip(uint64(s.Bytes)); err != nil {
			return w.Fault(fault.Truncated, w.Offset(), "storage %.80q of %d bytes, %d are left", key, s.Bytes, w.Left()).WithHint(damaged)
		}
	}
	for i := range f.Storages {
		if s := pending[f.Storages[i].Key]; s != nil {
			f.problem(fault.New(MissingStorage, f.Path, fmt.Sprintf("%.200q is not in the file's list", s.Key)).WithHint(damaged))
		}
	}
	if w.Left() > 0 {
		f.Trailing = w.Offset()
	}
	return nil
}
