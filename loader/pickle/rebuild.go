package pickle

import (
	"strings"

	"omniloader/loader/internal/ndarray"
)

// markCalled notes of an import that the pickle calls it.
func (m *machine) markCalled(callable ref) {
	if g := m.globalOf(callable); g != nil {
		g.Called = true
	}
}

// setTensor turns a node into a tensor.
func (m *machine) setTensor(r ref, t rawTensor) {
	if !m.spend(tensorBytes) {
		return
	}
	*m.node(r) = node{kind: tensor, a: uint32(len(m.tensors))}
	m.tensors = append(m.tensors, t)
}

// Bytes of memory for the budget.
const (
	tensorBytes  = 64
	storageBytes = 24
)

func (m *machine) newTensor(t rawTensor) ref {
	r := m.newNode(node{})
	if r != refOpaque {
		m.setTensor(r, t)
	}
	return r
}

// call returns the result of a call: a tensor where the callable is one of torch's
// functions that rebuild one, else an object with the callable and its arguments.
func (m *machine) call(callable, args ref) ref {
	if m.importsOnly {
		return refOpaque
	}
	m.markCalled(callable)
	// _rebuild_from_type_v2 wraps tensors of a subclass: (function, type, arguments, state).
	if g := m.globalOf(callable); g != nil && g.Module == "torch._tensor" {
		if wrapped := m.elements(args); len(wrapped) >= 3 && strings.HasPrefix(g.Name, "_rebuild_from_type") {
			callable, args = wrapped[0], wrapped[2]
			m.markCalled(callable)
			m.markCalled(wrapped[1])
		}
	}
	if g := m.globalOf(callable); g != nil {
		if rebuild := rebuilders[g.Module+"."+g.Name]; rebuild != nil {
			if r := rebuild(m, m.elements(args)); r != refOpaque {
				return r
			}
		}
	}
	return m.newNode(node{kind: object, a: uint32(callable), b: uint32(args)})
}

// rebuilders emulate the functions that pickles of torch and numpy call. They
// return the opaque node where the arguments are not those that the function takes.
// Sources of the arguments: torch/_utils.py and numpy's core/multiarray.
var rebuilders = map[string]func(m *machine, args []ref) ref{
	"torch._utils._rebuild_tensor":                        rebuildTensor,
	"torch._utils._rebuild_tensor_v2":                     rebuildTensor,
	"torch._utils._rebuild_tensor_v3":                     rebuildTensorV3,
	"torch._utils._rebuild_qtensor":                       rebuildTensor,
	"torch._utils._rebuild_parameter":                     firstArgument,
	"torch._utils._rebuild_parameter_with_state":          firstArgument,
	"torch._utils._rebuild_sparse_tensor":                 rebuildSparse,
	"torch._utils._rebuild_meta_tensor_no_storage":        rebuildMeta,
	"torch._utils._rebuild_device_tensor_from_numpy":      firstArgument,
	"torch._utils._rebuild_device_tensor_from_cpu_tensor": firstArgument,
	"torch.nn.parameter.Parameter":                        firstArgument,
	"torch.Size":                                          firstArgument,
	"collections.OrderedDict":                             rebuildDict,
	"numpy.core.multiarray._reconstruct":                  newArray,
	"numpy._core.multiarray._reconstruct":                 newArray,
	"numpy.core.numeric._frombuffer":                      frombuffer,
	"numpy._core.numeric._frombuffer":                     frombuffer,
}

// rebuildTensor takes (storage, offset, size, stride, …).
func rebuildTensor(m *machine, args []ref) ref {
	offset, ok := m.intOf(at(args, 1))
	if !ok || m.node(at(args, 0)).kind != storage {
		return refOpaque
	}
	return m.newTensor(rawTensor{storage: args[0], offset: offset, size: at(args, 2), stride: at(args, 3)})
}

// rebuildTensorV3 takes (storage, offset, size, stride, requires_grad, hooks, dtype,
// metadata). The storage is untyped.
func rebuildTensorV3(m *machine, args []ref) ref {
	r := rebuildTensor(m, args)
	if r != refOpaque && m.node(r).kind == tensor {
		m.tensors[m.node(r).a].dtype = m.torchType(at(args, 6))
	}
	return r
}

// rebuildSparse takes (layout, (indices, values, size, …)). The element type is that
// of the values.
func rebuildSparse(m *machine, args []ref) ref {
	of := m.elements(at(args, 1))
	if len(of) < 3 {
		return refOpaque
	}
	t := rawTensor{size: of[2], layout: "sparse"}
	if len(of) > 3 && m.node(of[2]).kind == tensor { // compressed layouts: two index tensors first
		t.size = of[3]
	}
	for _, r := range of[:min(3, len(of))] {
		if v := m.node(r); v.kind == tensor {
			t.dtype = m.dtypeOf(&m.tensors[v.a])
		}
	}
	return m.newTensor(t)
}

// rebuildMeta takes (dtype, size, stride, requires_grad).
func rebuildMeta(m *machine, args []ref) ref {
	if len(args) < 3 {
		return refOpaque
	}
	return m.newTensor(rawTensor{size: args[1], stride: args[2], dtype: m.torchType(args[0]), layout: "meta"})
}

// firstArgument emulates functions that return their first argument, as far as
// tensors go.
func firstArgument(_ *machine, args []ref) ref { return at(args, 0) }

// rebuildDict takes no argument, or a list of pairs as old files have it.
func rebuildDict(m *machine, args []ref) ref {
	r := m.newNode(node{kind: dict})
	for _, pair := range m.elements(at(args, 0)) {
		if of := m.elements(pair); len(of) == 2 {
			m.extend(r, of)
		}
	}
	return r
}

// newArray returns an array without a shape, which BUILD gives it.
func newArray(m *machine, _ []ref) ref { return m.newNode(node{kind: array}) }

// frombuffer takes (buffer, dtype, shape, order).
func frombuffer(m *machine, args []ref) ref {
	if len(args) < 3 {
		return refOpaque
	}
	return m.newTensor(rawTensor{size: args[2], dtype: m.numpyType(args[1]), layout: "numpy"})
}

// persistent returns what a persistent id stands for: a storage, or in old files of
// torch a class whose source code is stored with it.
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
		r := m.newNode(node{kind: storage, a: uint32(len(m.storages))})
		if r != refOpaque {
			m.storages = append(m.storages, rawStorage{kind: of[1], key: of[2], location: of[3], elements: elements})
		}
		return r
	case "module":
		return at(of, 1)
	}
	return refOpaque
}

// torchType returns the name of a torch dtype: torch.float32 is F32.
func (m *machine) torchType(r ref) string {
	g := m.globalOf(r)
	if g == nil || g.Module != "torch" {
		return ""
	}
	t, _ := lookupType("dtype", g.Name)
	return t.dtype
}

// numpyType returns the name of a numpy dtype: numpy.dtype('f4') is F32.
func (m *machine) numpyType(r ref) string {
	n := m.node(r)
	if n.kind != object {
		return ""
	}
	return ndarray.NumpyDType(m.textOf(at(m.elements(ref(n.b)), 0)))
}

// storageType returns a storage's element type and size.
func (m *machine) storageType(s *rawStorage) elementType {
	g := m.globalOf(s.kind)
	if g == nil {
		return elementType{}
	}
	t, _ := lookupType("storage", g.Name)
	return t
}

// dtypeOf returns a tensor's type: its own, or else its storage's.
func (m *machine) dtypeOf(t *rawTensor) string {
	if t.dtype != "" || m.node(t.storage).kind != storage {
		return t.dtype
	}
	return m.storageType(&m.storages[m.node(t.storage).a]).dtype
}
