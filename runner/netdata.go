package runner

import (
	"fmt"

	"kappa/engine/deep"
	"kappa/engine/nn"
	"kappa/runner/dataset"
)

// images loads one side's data set of a run on a net, once for all runs.
func (c *problemCache) images(r reader, side string) (*dataset.ImageTask, error) {
	src := source(r, side)
	key := src.Key()
	c.mu.Lock()
	entry, ok := c.pictures[key]
	if !ok {
		entry = new(cached[*dataset.ImageTask])
		c.pictures[key] = entry
	}
	c.mu.Unlock()
	value, err := entry.get(func() (*dataset.ImageTask, error) { return dataset.LoadImages(c.data, src) })
	if err != nil { // a retry may find the file again
		c.forget(func() {
			if c.pictures[key] == entry {
				delete(c.pictures, key)
			}
		})
		return nil, fmt.Errorf("%s: %w", side, err)
	}
	return value, nil
}

// pictures are the data of a run on a net: both tasks, the harmful one empty for a pre-training.
type pictures struct {
	primary, harmful deep.Task
	warnings         []string
}

// netTasks loads what a run on a net reads.
func (c *problemCache) netTasks(r reader) (p pictures, err error) {
	for _, s := range []struct {
		name string
		to   *deep.Task
	}{{"primary", &p.primary}, {"harmful", &p.harmful}} {
		if s.name == "harmful" && r.str("train.method") == pretrainMethod {
			continue
		}
		task, err := c.images(r, s.name)
		if err != nil {
			return p, err
		}
		*s.to = deep.Task{Train: task.Train, Test: task.Test}
		p.warnings = append(p.warnings, task.Warnings...)
	}
	if p.harmful.Train == nil {
		return p, nil
	}
	if a, b := dims(p.primary.Train), dims(p.harmful.Train); a != b {
		return p, fmt.Errorf("the primary task has images of %d×%d×%d (channels, height, width) and the harmful one of %d×%d×%d; accepted: the same size",
			a[0], a[1], a[2], b[0], b[1], b[2])
	}
	return p, nil
}

func dims(images deep.Images) [3]int {
	c, h, w := images.Dims()
	return [3]int{c, h, w}
}

// netFits reports why a run on a net cannot have its data, or its data not its net.
func (c *problemCache) netFits(r reader) error {
	data, err := c.netTasks(r)
	if err != nil {
		return err
	}
	net, err := nn.New(r.str("model.kind"), dims(data.primary.Train), data.primary.Train.Classes())
	if err != nil {
		return &settingError{"model.kind", err}
	}
	unfrozen := r.strings("model.unfrozen")
	if err := net.Freeze(unfrozen...); err != nil {
		return &settingError{"model.unfrozen", err}
	}
	if unfrozen != nil && net.Trunk() == len(net.Blocks) {
		return &settingError{"model.unfrozen", fmt.Errorf("nothing of the net %s but its head is unfrozen by %q; accepted: names that take in a parameter of a block", net.Kind, unfrozen)}
	}
	if path := initFile(r); path != "" {
		_, err = readTheta0(c.data, path, "", net)
	}
	return err
}

// netAdapters reports why lora cannot attack the net of a run.
func (c *problemCache) netAdapters(r reader, rank int) error {
	data, err := c.netTasks(r)
	if err != nil {
		return nil // netFits says it
	}
	net, err := nn.New(r.str("model.kind"), dims(data.primary.Train), data.primary.Train.Classes())
	if err != nil {
		return nil // likewise
	}
	unfrozen := r.strings("model.unfrozen")
	if unfrozen == nil {
		unfrozen = net.Unfrozen
	}
	if net.Freeze(unfrozen...) != nil || net.Trunk() == len(net.Blocks) {
		return nil // likewise
	}
	if err := deep.LoRAFits(net, unfrozen, rank); err != nil {
		return fmt.Errorf("attacker lora: %w", err)
	}
	return nil
}

// netCounts reports numbers of images that a run on a net asks for and the data do not have.
func (c *problemCache) netCounts(r reader) []error {
	data, err := c.netTasks(r)
	if err != nil {
		return nil // netFits says it
	}
	var errs []error
	few := func(path string, images int) {
		if n := r.integer(path); n > images {
			errs = append(errs, &settingError{path, fmt.Errorf("%d images, and the task has %d to train on; accepted: at most as many", n, images)})
		}
	}
	primary := data.primary.Train.Len()
	few("pretrain.n", primary)
	few("pretrain.batch", primary)
	if data.harmful.Train != nil {
		harmful := data.harmful.Train.Len()
		few("train.batch", min(primary, harmful))
		few("train.group_size", min(primary, harmful))
		for i := range r.attacks() {
			few(attackKey(i, "batch"), harmful)
		}
	}
	return errs
}
