package safetensors

// DType is the type of a tensor's elements. The zero value is no type.
type DType uint8

// The element types of the format, in the order of the reference implementation,
// which is by size.
const (
	Bool DType = iota + 1
	F4
	F6E2M3
	F6E3M2
	U8
	I8
	F8E5M2
	F8E4M3
	F8E8M0
	F8E4M3FNUZ
	F8E5M2FNUZ
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64

	dtypeEnd
)

// dtypes are the names in the header, and the size of one element in bits. Elements of
// F4 and F6 are packed: together those of a tensor must fill whole bytes.
var dtypes = [dtypeEnd]struct {
	name string
	bits uint8
}{
	Bool:       {"BOOL", 8},
	F4:         {"F4", 4},
	F6E2M3:     {"F6_E2M3", 6},
	F6E3M2:     {"F6_E3M2", 6},
	U8:         {"U8", 8},
	I8:         {"I8", 8},
	F8E5M2:     {"F8_E5M2", 8},
	F8E4M3:     {"F8_E4M3", 8},
	F8E8M0:     {"F8_E8M0", 8},
	F8E4M3FNUZ: {"F8_E4M3FNUZ", 8},
	F8E5M2FNUZ: {"F8_E5M2FNUZ", 8},
	I16:        {"I16", 16},
	U16:        {"U16", 16},
	F16:        {"F16", 16},
	BF16:       {"BF16", 16},
	I32:        {"I32", 32},
	U32:        {"U32", 32},
	F32:        {"F32", 32},
	C64:        {"C64", 64},
	F64:        {"F64", 64},
	I64:        {"I64", 64},
	U64:        {"U64", 64},
}

// String is the spelling in the header, "BF16", and "" for no type.
func (d DType) String() string {
	if d >= dtypeEnd {
		return ""
	}
	return dtypes[d].name
}

// Bits is the size of one element, in bits, and 0 for no type.
func (d DType) Bits() int {
	if d >= dtypeEnd {
		return 0
	}
	return int(dtypes[d].bits)
}

// ParseDType returns the type with a name of the header, such as "BF16".
func ParseDType(name string) (d DType, ok bool) {
	for i := Bool; i < dtypeEnd; i++ {
		if dtypes[i].name == name {
			return i, true
		}
	}
	return 0, false
}
