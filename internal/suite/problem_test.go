package suite

import (
	"errors"

	"omniloader/internal/outcome"
	"omniloader/internal/tagexpr"
)

// IsProblem says whether err means that scenarios could not be judged.
func IsProblem(err error) bool {
	var problems outcome.Problems
	var syntax *tagexpr.SyntaxError
	return errors.As(err, &problems) || errors.As(err, &syntax)
}
