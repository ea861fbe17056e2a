package suite

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkBlanking parses the source with only the scenarios that are kept, and checks that
// it has exactly these, unchanged and on the same lines.
func checkBlanking(t *testing.T, f *Feature, keep func(*Scenario) bool) {
	t.Helper()
	var want []*Scenario
	for _, s := range f.Scenarios {
		if keep(s) {
			want = append(want, s)
		}
	}
	left := f.sourceWithOnly(keep)
	if len(want) == 0 {
		require.Nil(t, left)
		return
	}
	require.Equal(t, bytes.Count(f.Source, []byte("\n")), bytes.Count(left, []byte("\n")))
	parsed, problems := parse(f.URI, left)
	require.NotNil(t, parsed, "%v\n%s", problems, left)
	require.Len(t, parsed.Scenarios, len(want))
	for i, s := range parsed.Scenarios {
		require.Equal(t, want[i].Scenario, s.Scenario)
		require.Equal(t, want[i].kinds, s.kinds)
	}
}

func TestSelectedScenariosKeepTheirLines(t *testing.T) {
	texts := map[string]string{
		"unix line ends":    outline,
		"windows line ends": strings.ReplaceAll(outline, "\n", "\r\n"),
		"no end of line":    strings.TrimSuffix(outline, "\n"),
		"tags on several lines, comments between, a doc string that looks like a scenario": `Feature: x
  @one
  # between
  @two
  Scenario: first
    A description that says
    Feature: nothing
    Given a thing "a"
      """
      @trap
      Scenario: not one
      """
  @three
  # between
  Scenario Outline: second <v>
    Given a thing "<v>"
      | Examples: |
      | <v>       |

    @four
    Examples: one
      | v |
      # a comment
      | 1 |

      | 2 |
    @five
    Examples: two
      | v |
      | 3 |
  Rule: r
    @six
    Scenario: third
      * all is well
  @seven
  Rule: s
    Scenario: fourth
      * all is well`,
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			f := features(t, map[string]string{"a.feature": text})[0]
			require.GreaterOrEqual(t, len(f.Scenarios), 5)
			for set := range 1 << len(f.Scenarios) {
				at := map[int]bool{}
				for i, s := range f.Scenarios {
					at[s.Line] = set>>i&1 == 1
				}
				checkBlanking(t, f, func(s *Scenario) bool { return at[s.Line] })
			}
		})
	}
}

func TestTheSourceIsUnchangedIfAllIsKept(t *testing.T) {
	f := features(t, map[string]string{"a.feature": outline})[0]
	assert.Equal(t, outline, string(f.sourceWithOnly(func(*Scenario) bool { return true })))
}

func ExampleFeature_only() {
	f, _ := parse("a.feature", []byte("Feature: x\n  Scenario: a\n    Given y\n  Scenario: b\n    Given z\n"))
	fmt.Println(strings.ReplaceAll(string(f.sourceWithOnly(func(s *Scenario) bool { return s.Name == "b" })), "\n", "$\n"))
	// Output:
	// Feature: x$
	// $
	// $
	//   Scenario: b$
	//     Given z$
}
