package steps

import (
	"context"

	"omniloader/loader/undertest"
)

// operationSteps are the When steps that read a checkpoint, one operation each.
func (w *world) operationSteps(r stepRegistrar) {
	r.group("Reading a checkpoint: one operation in each scenario")
	r.When(`^the model info is read$`, w.readModelInfo, stepDoc{
		meaning:   "Reads what the checkpoint is: architecture, model type, category, support, quantization and more, without opening its weights.",
		example:   `the model info is read`,
		operation: undertest.ModelInfo,
	})
	r.When(`^the category is detected$`, w.detectCategory, stepDoc{
		meaning:   "Reads which kind of loader the checkpoint needs (its category), and nothing else.",
		example:   `the category is detected`,
		operation: undertest.CategoryOnly,
	})
	r.When(`^support is checked$`, w.checkSupport, stepDoc{
		meaning:   "Reads whether a loader for the checkpoint is known, and why not.",
		example:   `support is checked`,
		operation: undertest.Support,
	})
	r.When(`^the omni check is made$`, w.checkOmni, stepDoc{
		meaning:   "Reads whether one model handles speech, vision and text.",
		example:   `the omni check is made`,
		operation: undertest.OmniCheck,
	})
	r.When(`^the SAE check is made$`, w.checkSAE, stepDoc{
		meaning:   "Reads whether the checkpoint is a sparse autoencoder.",
		example:   `the SAE check is made`,
		operation: undertest.SAECheck,
	})
	r.When(`^the SAE base model is looked up$`, w.lookUpBaseModel, stepDoc{
		meaning:   "Reads which model a sparse autoencoder was trained on.",
		example:   `the SAE base model is looked up`,
		operation: undertest.SAEBaseModel,
	})
	r.When(`^the tokenizer is read$`, w.readTokenizer, stepDoc{
		meaning:   "Finds the checkpoint's tokenizer, or that of its base model or a fallback, and reads its type, size and special tokens.",
		example:   `the tokenizer is read`,
		operation: undertest.Tokenizer,
	})
	r.When(`^the checkpoint is inspected$`, w.inspect, stepDoc{
		meaning:   "Reads everything: the model info, the tokenizer, the headers of the weight files, and the findings.",
		example:   `the checkpoint is inspected`,
		operation: undertest.Inspection,
	})
	r.When(`^the checkpoint is verified$`, w.verify, stepDoc{
		meaning:   "Inspects the checkpoint, reads every file completely, and compares its hash with the one that the download recorded.",
		example:   `the checkpoint is verified`,
		operation: undertest.Verification,
	})
}

func (w *world) readModelInfo(ctx context.Context) error {
	return w.read(ctx, undertest.ModelInfo)
}

func (w *world) detectCategory(ctx context.Context) error {
	return w.read(ctx, undertest.CategoryOnly)
}

func (w *world) checkSupport(ctx context.Context) error {
	return w.read(ctx, undertest.Support)
}

func (w *world) checkOmni(ctx context.Context) error {
	return w.read(ctx, undertest.OmniCheck)
}

func (w *world) checkSAE(ctx context.Context) error {
	return w.read(ctx, undertest.SAECheck)
}

func (w *world) lookUpBaseModel(ctx context.Context) error {
	return w.read(ctx, undertest.SAEBaseModel)
}

func (w *world) readTokenizer(ctx context.Context) error {
	return w.read(ctx, undertest.Tokenizer)
}

func (w *world) inspect(ctx context.Context) error {
	return w.read(ctx, undertest.Inspection)
}

func (w *world) verify(ctx context.Context) error {
	return w.read(ctx, undertest.Verification)
}
