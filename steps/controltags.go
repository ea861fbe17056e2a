package steps

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	retryTag   = "@retry:"
	timeoutTag = "@timeout:"
	failsTag   = "@fails:"
)

// MaxRetries is the largest number of further attempts at a scenario.
const MaxRetries = 10

// Retries returns the number in a tag such as @retry:2: how often a scenario that fails is
// tried again. given is false if there is no such tag. Of several, the last one counts,
// which is the scenario's own.
func Retries(tags []string) (n int, given bool, err error) {
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, retryTag)
		if !ok {
			continue
		}
		if n, err = strconv.Atoi(text); err != nil || n < 0 || n > MaxRetries {
			return 0, false, fmt.Errorf("tag %s: write it as %s2, a whole number from 0 to %d", tag, retryTag, MaxRetries)
		}
		given = true
	}
	return n, given, nil
}

// Timeout returns the time in a tag such as @timeout:5s, after which each attempt at a
// scenario has failed; 0 if there is no such tag. Of several, the last one counts.
func Timeout(tags []string) (time.Duration, error) {
	timeout := time.Duration(0)
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, timeoutTag)
		if !ok {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Millisecond {
			return 0, fmt.Errorf("tag %s: write it as %s5s or %s1m30s, at least 1ms, with the units ms, s, m, h", tag, timeoutTag, timeoutTag)
		}
		timeout = d
	}
	return timeout, nil
}

// ExpectedFailure returns what a tag such as @fails:ISSUE-12 names as the reason why a
// scenario fails; "" if there is no such tag. Of several, the last one counts.
func ExpectedFailure(tags []string) (issue string, err error) {
	for _, tag := range tags {
		if text, ok := strings.CutPrefix(tag, failsTag); ok {
			if text == "" {
				return "", fmt.Errorf("tag %s: name the issue: %sISSUE-12", tag, failsTag)
			}
			issue = text
		}
	}
	return issue, nil
}

// checkControlTags returns an error for a tag of this file without a valid value.
func checkControlTags(tags []string) error {
	for _, tag := range tags {
		for _, valued := range []string{retryTag + "2", timeoutTag + "5s", failsTag + "ISSUE-12"} {
			if name, _, _ := strings.Cut(valued, ":"); tag == name {
				return fmt.Errorf("tag %s has no effect without a value: write it as %s", tag, valued)
			}
		}
	}
	if _, _, err := Retries(tags); err != nil {
		return err
	}
	if _, err := Timeout(tags); err != nil {
		return err
	}
	_, err := ExpectedFailure(tags)
	return err
}
