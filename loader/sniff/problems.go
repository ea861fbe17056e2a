package sniff

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"omniloader/loader/fault"
)

// ServerReply is the kind of error of a file that contains a server's error message
// instead of the content.
const ServerReply fault.Kind = "server reply"

// problems are tried in this order, and the first match is the result: a git-lfs
// pointer under the name of an unfinished download is an unfinished download.
var problems = [...]func(*source, *Content) bool{
	unfinished,
	empty,
	lfsPointer,
	htmlPage,
	storageError,
	serverReply,
	zeroFilled,
}

func unfinished(s *source, c *Content) bool {
	c.Problem = Unfinished(s.path)
	return c.Problem != nil
}

// unfinishedNames are the extensions that programs give to a download until it is
// complete.
var unfinishedNames = [...]struct{ suffix, program, hint string }{
	{".incomplete", "the Hugging Face client", "run the same download again, it goes on where it stopped"},
	{".crdownload", "Chrome", "download the file again"},
	{".opdownload", "Opera", "download the file again"},
	{".download", "Safari", "download the file again"},
	{".part", "Firefox", "download the file again"},
	{".partial", "a browser", "download the file again"},
	{".filepart", "WinSCP", "transfer the file again"},
	{".!qB", "qBittorrent", "let the transfer end"},
	{".aria2", "aria2", "run the same aria2 command again: the file beside it is not complete either"},
}

// Unfinished returns fault.Incomplete for the name of an unfinished download, and nil
// for any other name. An .aria2 file only records a download: the incomplete file is
// the one without that extension.
func Unfinished(path string) *fault.Error {
	if strings.Contains(strings.ReplaceAll(path, `\`, "/"), "._____temp/") {
		return fault.New(fault.Incomplete, path, "a part of a download that ModelScope's client did not end").WithHint("run the same download again")
	}
	for _, u := range unfinishedNames {
		if !hasSuffixFold(path, u.suffix) {
			continue
		}
		detail := "a name that " + u.program + " gives to an unfinished download"
		if u.suffix == ".incomplete" && strings.Contains(strings.ReplaceAll(path, `\`, "/"), "blobs/") {
			detail = "an unfinished blob of the Hugging Face cache"
		}
		return fault.New(fault.Incomplete, path, detail).WithHint(u.hint)
	}
	return nil
}

// hasSuffixFold compares without case, and requires something before the suffix.
func hasSuffixFold(s, suffix string) bool {
	return len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func empty(s *source, c *Content) bool {
	if s.size > 0 {
		return false
	}
	c.Problem = fault.New(fault.Empty, s.path, "0 bytes").WithHint("download the file again")
	return true
}

// pointerVersions are the first lines of a pointer: that of Git LFS's specification,
// and one from before its first release, which it still accepts.
var pointerVersions = [...]string{"version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"}

// lfsPointer recognizes pointer files of Git LFS: lines of a key and a value, less than
// 1,024 bytes in all.
func lfsPointer(s *source, c *Content) bool {
	if !bytes.HasPrefix(s.head, []byte(pointerVersions[0])) && !bytes.HasPrefix(s.head, []byte(pointerVersions[1])) {
		return false
	}
	p := &Pointer{Size: -1}
	for line := range strings.Lines(string(s.head[:min(len(s.head), 1024)])) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch key {
		case "oid":
			if oid, ok := strings.CutPrefix(value, "sha256:"); ok && isHex(oid, 64) {
				p.OID = oid
			}
		case "size":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				p.Size = n
			}
		}
	}
	detail := fmt.Sprintf("found a Git LFS pointer of %d bytes", s.size)
	if p.Size >= 0 {
		detail = fmt.Sprintf("expected %s, found %d bytes that stand for them", ByteSize(p.Size), s.size)
	}
	c.Pointer = p
	c.Problem = fault.New(fault.LFSPointer, s.path, detail).WithHint("run `git lfs pull`, or download the file itself")
	return true
}

func isHex(s string, length int) bool {
	return len(s) == length && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// ByteSize formats a number of bytes with decimal units: "9.9 GB".
func ByteSize(n int64) string {
	units := [...]string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"}
	value, unit := float64(n), 0
	for value >= 999.95 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[unit]
}

// webNames are the extensions of files whose content is HTML or XML.
var webNames = [...]string{".html", ".htm", ".xhtml", ".md", ".svg", ".xml"}

// isWeb reports whether the name is that of an HTML or XML file.
func (s *source) isWeb() bool {
	for _, suffix := range webNames {
		if hasSuffixFold(s.path, suffix) {
			return true
		}
	}
	return false
}

// startOfText is the head without a byte order mark and leading white space.
func (s *source) startOfText() []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(s.head, []byte("\xEF\xBB\xBF")), " \t\r\n")
}

var pageStarts = [...]string{"<!doctype html", "<html", "<head>", "<body"}

func htmlPage(s *source, c *Content) bool {
	text := s.startOfText()
	if len(text) == 0 || text[0] != '<' || s.isWeb() {
		return false
	}
	for _, start := range pageStarts {
		if len(text) < len(start) || !bytes.EqualFold(text[:len(start)], []byte(start)) {
			continue
		}
		detail := fmt.Sprintf("%d bytes that a browser would show", s.size)
		if title := between(text, "<title>", "</title>"); title != "" {
			detail = fmt.Sprintf("a page titled %q", title)
		}
		c.Problem = fault.New(fault.HTMLPage, s.path, detail).
			WithHint("sign in if the repository asks for it, and download the file itself, not its page")
		return true
	}
	return false
}

// storageError recognizes the XML error messages of object stores.
func storageError(s *source, c *Content) bool {
	text := s.startOfText()
	if !bytes.HasPrefix(text, []byte("<?xml")) && !bytes.HasPrefix(text, []byte("<Error>")) || s.isWeb() {
		return false
	}
	code := between(text, "<Code>", "</Code>")
	if code == "" || !bytes.Contains(text, []byte("<Error>")) {
		return false
	}
	c.Problem = fault.New(ServerReply, s.path, fmt.Sprintf("the store answered %q", code)).
		WithHint("the link has expired or is not for you: download the file again")
	return true
}

// hubReplies are the starts of error messages of the Hugging Face Hub.
var hubReplies = [...]string{
	"Entry not found", "Repository not found", "Invalid username or password.", "Access to model ", "Access to dataset ",
	`{"error":"`,
}

func serverReply(s *source, c *Content) bool {
	if s.size > 1024 {
		return false
	}
	for _, reply := range hubReplies {
		if bytes.HasPrefix(s.head, []byte(reply)) {
			c.Problem = fault.New(ServerReply, s.path, fmt.Sprintf("the hub answered %q", bytes.TrimSpace(s.head[:min(len(s.head), 100)]))).
				WithHint("check the file's address and your access, and download the file again")
			return true
		}
	}
	return false
}

// between is the text between start and end, "" where either is missing or the text
// is longer than 200 bytes.
func between(text []byte, start, end string) string {
	_, rest, found := bytes.Cut(text, []byte(start))
	inner, _, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended || len(inner) > 200 {
		return ""
	}
	return string(bytes.TrimSpace(inner))
}

// zeroFilled recognizes files of zeros. Where the first block is zero it reads the last
// block and some between, and reports how many.
func zeroFilled(s *source, c *Content) bool {
	rest := s.size - int64(len(s.head))
	if !isZero(s.head) || rest > 0 && s.r == nil {
		return false
	}
	detail := fmt.Sprintf("all %d bytes are zero", s.size)
	if rest > 0 {
		samples := min((rest+blockSize-1)/blockSize, zeroSamples-1)
		for i := int64(1); i <= samples; i++ {
			// Evenly spaced, the last one at the end of the file. The quotient and the
			// remainder are multiplied separately, since span*i may overflow.
			span := s.size - blockSize
			offset := span/samples*i + span%samples*i/samples
			// s.block also holds the head, which is zero like what is read here.
			if !s.readAt(s.block[:], offset) || !isZero(s.block[:]) {
				clear(s.block[:])
				return false
			}
		}
		if rest > samples*blockSize {
			detail = fmt.Sprintf("the first, the last and %d blocks of %d bytes between them are zero, of %s in all", samples-1, blockSize, ByteSize(s.size))
		}
	}
	c.Problem = fault.New(fault.ZeroFilled, s.path, detail).
		WithHint("the space was set aside and never written: download the file again")
	return true
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
