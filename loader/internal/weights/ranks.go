package weights

import (
	"fmt"
	"path"
	"strconv"

	"omniloader/loader/finding"
	"omniloader/loader/internal/config"

	"github.com/tidwall/gjson"
)

// tensorRTLayout is the layout with a weight file for each rank (device).
const tensorRTLayout = "tensorrt-llm"

// maxRanks is the number of ranks beyond which the config is not believed.
const maxRanks = 1 << 12

// checkRanks reports ranks of a TensorRT-LLM checkpoint or engine whose file is missing.
// Source: tensorrt_llm/models/modeling_utils.py.
func (r *reader) checkRanks() {
	size := gjson.GetBytes(r.c.Doc.Data, "mapping.world_size")
	if !size.Exists() {
		size = gjson.GetBytes(r.c.Doc.Data, "pretrained_config.mapping.world_size")
	}
	ranks := config.PositiveInt(size)
	if ranks > maxRanks || len(r.Info.Files) == 0 {
		return
	}
	if ranks > 0 {
		r.compared("files with the ranks of " + config.ConfigJSON)
	}
	for i := range ranks {
		name := "rank" + strconv.FormatInt(i, 10) + path.Ext(r.Info.Files[0])
		if r.c.Has(name) {
			continue
		}
		r.Incomplete = true
		r.Info.Missing = append(r.Info.Missing, name)
		r.report(finding.ShardMissing, name, fmt.Sprintf("%s is for %d ranks, and the file of this one is not here", config.ConfigJSON, ranks), r.c.DownloadHint(name))
	}
}
