#include "textflag.h"

// func fence()
TEXT ·fence(SB), NOSPLIT, $0-0
	DSB $15
	ISB $15
	RET
