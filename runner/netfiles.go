package runner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"kappa/engine/nn"
	"kappa/engine/nn/weights"
	"kappa/store"
)

// netKeepLimit is the size up to which an immunized net is kept by default, in bytes.
const netKeepLimit = 64 << 20

// bytesOf are the bytes of a net's numbers.
func bytesOf(net *nn.Net) int {
	n := 0
	for _, p := range net.Params() {
		n += 4 * len(p.Value)
	}
	return n
}

// saveNet returns a net as a .safetensors file.
func saveNet(net *nn.Net) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(bytesOf(net) + 1<<16)
	if err := weights.Write(&b, net.Tensors(), nil); err != nil {
		return nil, fmt.Errorf("write the net: %w", err)
	}
	return b.Bytes(), nil
}

// loadNet fills a net from a .safetensors file that saveNet has made.
func loadNet(net *nn.Net, data []byte) error {
	f, err := weights.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	return net.Load(f)
}

// readTheta0 loads the user's weights into a net: a head for other classes, or none, leaves the head as it is, and left says why. A
// file with another SHA-256 than digest is refused, unless that is empty.
func readTheta0(data fs.FS, path, digest string, net *nn.Net) (left string, err error) {
	fail := func(err error) (string, error) {
		return "", &settingError{"model.init", fmt.Errorf("%s: %w", path, err)}
	}
	if data == nil {
		return fail(errors.New("no folder of data is given"))
	}
	info, err := fs.Stat(data, path)
	if err != nil {
		return "", &settingError{"model.init", err}
	}
	// As many numbers as the net has, in eight bytes, and room for a head and a header.
	if most := int64(2*bytesOf(net)) + 64<<20; info.Size() > most {
		return fail(fmt.Errorf("it has %d bytes; a net %s takes %d, and at most %d are accepted", info.Size(), net.Kind, bytesOf(net), most))
	}
	text, err := fs.ReadFile(data, path)
	if err != nil {
		return "", &settingError{"model.init", err}
	}
	if sum := sha256.Sum256(text); digest != "" && hex.EncodeToString(sum[:]) != digest {
		return fail(errors.New("the file has changed since it was planned with; the same command plans with what it is now"))
	}
	f, err := weights.Open(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return fail(err)
	}
	if left, err = net.LoadPretrained(f); err != nil {
		return fail(err)
	}
	return left, nil
}

// reuse takes θ and all that was measured of it from a finished run with the same training, where there is one; see [trial.reuse].
func (n *netRun) reuse() (bool, error) {
	if n.of.opt.Force {
		return false, nil
	}
	kept, ok, err := n.of.db.FindTheta(n.ctx, n.run.TrainKey)
	if err != nil || !ok || kept.Run == n.run.Key {
		return false, err
	}
	i := slices.IndexFunc(kept.Artifacts, func(a store.Artifact) bool { return a.Name == "theta" })
	data, err := n.of.db.ReadArtifact(kept.Artifacts[i])
	if err == nil {
		err = loadNet(n.net, data)
	}
	if err != nil {
		n.logf("θ of run %s cannot be reused: %v", short(kept.Run), err)
		n.net.CopyFrom(n.before)
		return false, nil
	}
	old, err := n.of.db.Outcome(n.ctx, kept.Run)
	if err != nil {
		return false, fmt.Errorf("read run %s, whose θ is reused: %w", short(kept.Run), err)
	}
	n.out.Metrics = slices.DeleteFunc(old.Metrics, func(m store.Metric) bool { return isAttackMetric(m.Name) })
	n.out.Conditions, n.out.Result = old.Conditions, old.Result
	n.out.Status, n.out.Reason = old.Status, old.Reason
	n.logf(reusedTheta+" %s: only the attacks are new", short(kept.Run))
	return true, nil
}

// keep writes θ beside the database; that of identity is θ_0, whose file is there already.
func (n *netRun) keep() error {
	if n.r.str("train.keep") == "none" {
		return nil
	}
	if n.run.Method() == "identity" && n.theta0.Run != "" {
		n.out.Artifacts = n.theta0.Artifacts
		return nil
	}
	if bytesOf(n.net) > netKeepLimit {
		n.logf("θ is not kept: it is %d MiB, more than %d", bytesOf(n.net)>>20, netKeepLimit>>20)
		return nil
	}
	return n.keepNet(n.net)
}

// keepNet writes a net beside the database, before the run is recorded.
func (t *trial) keepNet(net *nn.Net) error {
	data, err := saveNet(net)
	if err != nil {
		return fmt.Errorf("keep θ: %w", err)
	}
	a, err := t.of.db.WriteArtifact(t.run.Key, "theta.safetensors", data)
	if err != nil {
		return fmt.Errorf("keep θ: %w", err)
	}
	t.out.Artifacts = append(t.out.Artifacts, a)
	return nil
}
