// Package v1 has the fields of objects that target labels are made of.
package v1

type OwnerReference struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller *bool  `json:"controller"`
}

type ObjectMeta struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	UID             string            `json:"uid"`
	Labels          map[string]string `json:"labels"`
	Annotations     map[string]string `json:"annotations"`
	OwnerReferences []OwnerReference  `json:"ownerReferences"`
}

type Object interface {
	GetOwnerReferences() []OwnerReference
}

func (m *ObjectMeta) GetOwnerReferences() []OwnerReference { return m.OwnerReferences }
