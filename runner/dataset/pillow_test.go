package dataset

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// How far a picture may be from what torchvision makes of it. Pictures without loss become the same bits. Of a JPEG the
// standard leaves the inverse transform and the way from few colours to many open: the decoders differ by a few levels of 255 before
// resizing averages them.
const (
	jpegMean = 0.3 // levels, the mean over all numbers
	jpegMost = 3   // levels, the largest
)

// TestPillow compares decoding, resizing and cropping with Pillow and torchvision (testdata/photos/pillow.py).
func TestPillow(t *testing.T) {
	wants, err := filepath.Glob("testdata/photos/*.want.png")
	if err != nil || len(wants) < 20 {
		t.Fatalf("%d pictures to compare with, error %v", len(wants), err)
	}
	for _, file := range wants {
		stem, settings, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".want.png"), ".")
		t.Run(stem+"/"+settings, func(t *testing.T) {
			i := strings.LastIndexByte(stem, '-')
			data, err := os.ReadFile("testdata/photos/" + stem[:i] + "." + stem[i+1:])
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(settings, "-")
			src := Source{Images: "photos", Interpolation: parts[2], Mean: []float64{0, 0, 0}, Dev: []float64{1, 1, 1}}
			src.Crop, _ = strconv.Atoi(parts[1])
			if parts[0] == "squash" {
				src.Squash = true
			} else {
				src.Resize, _ = strconv.Atoi(parts[0])
			}
			got := make([]float32, 3*src.Crop*src.Crop)
			if err := src.preparation().read(got, data, new(sync.Mutex)); err != nil {
				t.Fatal(err)
			}

			wantData, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(bytes.NewReader(wantData))
			if err != nil {
				t.Fatal(err)
			}
			want := pictureOf(m).all()
			sum, most := 0.0, 0.0
			plane := src.Crop * src.Crop
			for j, w := range want.pix {
				d := math.Abs(float64(got[j%3*plane+j/3])*255 - float64(w))
				sum += d
				most = max(most, d)
			}
			mean := sum / float64(len(want.pix))
			t.Logf("mean difference %.3f, largest %.1f levels", mean, most)
			if strings.HasSuffix(stem, "-png") && most > 1e-3 {
				t.Errorf("mean difference %.3f, largest %.1f levels; want none", mean, most)
			}
			if mean > jpegMean || most > jpegMost {
				t.Errorf("mean difference %.3f, largest %.1f levels; accepted: %v and %v", mean, most, jpegMean, jpegMost)
			}
		})
	}
}
