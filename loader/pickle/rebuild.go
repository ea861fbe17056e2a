package pickle

import "strings"

// imported records an import and gives its node.
func (m *machine) imported(how, module, name string) ref {
	i := m.found.add(how, module, name, m.in.Offset())
	return m.make(node{form: global, a: uint32(i)})
}

// stackGlobal imports what the two topmost texts name.
func (m *machine) stackGlobal() error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	if m.node(name).form != text || m.node(module).form != text {
		// A name that is only made while unpickling, or too long to be one.
		m.push(m.imported("STACK_GLOBAL", "", "a name made while unpickling"))
		return nil
	}
	m.push(m.imported("STACK_GLOBAL", m.textOf(module), m.textOf(name)))
	return nil
}

// called marks what a node would call.
func (m *machine) called(callable ref) {
	if g := m.globalOf(callable); g != nil {
		g.Called = true
	}
}

// reduce follows REDUCE: the callable below, its arguments on top.
func (m *machine) reduce() error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	callable, err := m.pop()
	if err != nil {
		return err
	}
	m.push(m.call(callable, args))
	return nil
}

// construct follows NEWOBJ and NEWOBJ_EX.
func (m *machine) construct(operands int) error {
	if operands == 3 {
		if _, err := m.pop(); err != nil {
			return err
		}
	}
	return m.reduce()
}

// build follows BUILD: a state for the object below it.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	to, err := m.top()
	if err != nil || m.blind {
		return err
	}
	n := m.node(to)
	switch n.form {
	case object:
		m.called(ref(n.a))
		n.n = int64(state)
	case array:
		// (version, shape, dtype, is_fortran, data)
		if s := m.elements(state); len(s) >= 3 {
			m.replace(to, rawTensor{size: s[1], dtype: m.numpyType(s[2]), layout: "numpy"})
		}
	}
	return nil
}

// replace turns a node into a tensor.
func (m *machine) replace(r ref, t rawTensor) {
	if !m.spend(tensorBytes) {
		return
	}
	*m.node(r) = node{form: tensor, a: uint32(len(m.tensors))}
	m.tensors = append(m.tensors, t)
}

const (
	tensorBytes  = 64
	storageBytes = 24
)

func (m *machine) newTensor(t rawTensor) ref {
	r := m.make(node{})
	if r != refOpaque {
		m.replace(r, t)
	}
	return r
}

// call gives what a call would: a tensor, where the callable is one of torch's
// rebuilding functions, and else an object that remembers it.
func (m *machine) call(callable, args ref) ref {
	if m.blind {
		return refOpaque
	}
	m.called(callable)
	// A subclass is wrapped: (function, type, arguments, state).
	if g := m.globalOf(callable); g != nil && g.Module == "torch._tensor" {
		if of := m.elements(args); len(of) >= 3 && strings.HasPrefix(g.Name, "_rebuild_from_type") {
			callable, args = of[0], of[2]
			m.called(callable)
			m.called(of[1])
		}
	}
	if g := m.globalOf(callable); g != nil {
		if rebuild := rebuilders[g.Module+"."+g.Name]; rebuild != nil {
			if r := rebuild(m, m.elements(args)); r != refOpaque {
				return r
			}
		}
	}
	return m.make(node{form: object, a: uint32(callable), b: uint32(args)})
}

// rebuilders are the functions that torch and numpy name in their pickles. A
// function gives the opaque node where the arguments are not what they should be.
// Their arguments: torch/_utils.py,
// numpy's core/multiarray.
var rebuilders = map[string]func(m *machine, args []ref) ref{
	"torch._utils._rebuild_tensor":                        rebuildTensor,
	"torch._utils._rebuild_tensor_v2":                     rebuildTensor,
	"torch._utils._rebuild_tensor_v3":                     rebuildTensorV3,
	"torch._utils._rebuild_qtensor":                       rebuildTensor,
	"torch._utils._rebuild_parameter":                     first,
	"torch._utils._rebuild_parameter_with_state":          first,
	"torch._utils._rebuild_sparse_tensor":                 rebuildSparse,
	"torch._utils._rebuild_meta_tensor_no_storage":        rebuildMeta,
	"torch._utils._rebuild_device_tensor_from_numpy":      first,
	"torch._utils._rebuild_device_tensor_from_cpu_tensor": first,
	"torch.nn.parameter.Parameter":                        first,
	"torch.Size":                                          first,
	"collections.OrderedDict":                             rebuildDict,
	"numpy.core.multiarray._reconstruct":                  newArray,
	"numpy._core.multiarray._reconstruct":                 newArray,
	"numpy.core.numeric._frombuffer":                      frombuffer,
	"numpy._core.numeric._frombuffer":                     frombuffer,
}

// rebuildTensor: storage, offset, size, stride, and more.
func rebuildTensor(m *machine, args []ref) ref {
	offset, ok := m.intOf(at(args, 1))
	if !ok || m.node(at(args, 0)).form != storage {
		return refOpaque
	}
	return m.newTensor(rawTensor{storage: args[0], offset: offset, size: at(args, 2), stride: at(args, 3)})
}

// rebuildTensorV3: as above, and requires_grad, hooks, dtype, metadata. The
// storage is untyped.
func rebuildTensorV3(m *machine, args []ref) ref {
	r := rebuildTensor(m, args)
	if r != refOpaque && m.node(r).form == tensor {
		m.tensors[m.node(r).a].dtype = m.torchType(at(args, 6))
	}
	return r
}

// rebuildSparse: layout, (indices, values, size, …). The type is the values'.
func rebuildSparse(m *machine, args []ref) ref {
	of := m.elements(at(args, 1))
	if len(of) < 3 {
		return refOpaque
	}
	t := rawTensor{size: of[2], layout: "sparse"}
	if len(of) > 3 && m.node(of[2]).form == tensor { // compressed layouts: two index tensors first
		t.size = of[3]
	}
	for _, r := range of[:min(3, len(of))] {
		if v := m.node(r); v.form == tensor {
			t.dtype = m.dtypeOf(&m.tensors[v.a])
		}
	}
	return m.newTensor(t)
}

// rebuildMeta: dtype, size, stride, requires_grad.
func rebuildMeta(m *machine, args []ref) ref {
	if len(args) < 3 {
		return refOpaque
	}
	return m.newTensor(rawTensor{size: args[1], stride: args[2], dtype: m.torchType(args[0]), layout: "meta"})
}

// first is for functions whose first argument is what matters.
func first(_ *machine, args []ref) ref { return at(args, 0) }

// rebuildDict: nothing, or a list of pairs as old files have it.
func rebuildDict(m *machine, args []ref) ref {
	r := m.make(node{form: dict})
	for _, pair := range m.elements(at(args, 0)) {
		if of := m.elements(pair); len(of) == 2 {
			m.extend(r, of)
		}
	}
	return r
}

func newArray(m *machine, _ []ref) ref { return m.make(node{form: array}) }

// frombuffer: buffer, dtype, shape, order.
func frombuffer(m *machine, args []ref) ref {
	if len(args) < 3 {
		return refOpaque
	}
	return m.newTensor(rawTensor{size: args[2], dtype: m.numpyType(args[1]), layout: "numpy"})
}

// persistent follows a persistent id: a storage, in torch's files, or a class
// whose source is kept beside it, in old ones.
func (m *machine) persistent(id ref) ref {
	of := m.elements(id)
	if len(of) == 0 {
		return refOpaque
	}
	switch m.textOf(of[0]) {
	case "storage":
		// ("storage", type, key, location, elements[, view])
		elements, ok := m.intOf(at(of, 4))
		if len(of) < 5 || !ok || elements < 0 {
			return refOpaque
		}
		if !m.spend(storageBytes) {
			return refOpaque
		}
		r := m.make(node{form: storage, a: uint32(len(m.storages))})
		if r != refOpaque {
			m.storages = append(m.storages, rawStorage{kind: of[1], key: of[2], location: of[3], elements: elements})
		}
		return r
	case "module":
		return at(of, 1)
	}
	return refOpaque
}

// torchType gives the name of a torch dtype: torch.float32 is F32.
func (m *machine) torchType(r ref) string {
	g := m.globalOf(r)
	if g == nil || g.Module != "torch" {
		return ""
	}
	t, _ := lookupType("dtype", g.Name)
	return t.dtype
}

// numpyType gives the name of a numpy dtype: numpy.dtype('f4') is F32.
func (m *machine) numpyType(r ref) string {
	n := m.node(r)
	if n.form != object {
		return ""
	}
	code := strings.TrimLeft(m.textOf(at(m.elements(ref(n.b)), 0)), "<>=|")
	t, _ := lookupType("numpy", code)
	return t.dtype
}

// storageType gives a storage's element type and size.
func (m *machine) storageType(s *rawStorage) elementType {
	g := m.globalOf(s.kind)
	if g == nil {
		return elementType{}
	}
	t, _ := lookupType("storage", g.Name)
	return t
}

// dtypeOf gives a tensor's type: its own, or its storage's.
func (m *machine) dtypeOf(t *rawTensor) string {
	if t.dtype != "" || m.node(t.storage).form != storage {
		return t.dtype
	}
	return m.storageType(&m.storages[m.node(t.storage).a]).dtype
}
