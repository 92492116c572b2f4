// Package cache finds objects by namespace and name.
package cache

type Store map[string]any

func (s Store) GetByKey(key string) (any, bool, error) {
	item, exists := s[key]
	return item, exists, nil
}

type SharedInformer interface {
	GetStore() Store
}

func (s Store) GetStore() Store { return s }
