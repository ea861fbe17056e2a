package steps

import "context"

// operationSteps are the When steps: one operation each.
func (w *world) operationSteps(v stepRegistrar) {
	v.group("Reading: one operation a scenario")
	v.When(`^the model info is read$`, w.readModelInfo, stepDoc{
		meaning: "Reads what the checkpoint is: architecture, model type, category, support, quantization and more, without opening its weights.",
		example: `the model info is read`,
	})
	v.When(`^the category is detected$`, w.detectCategory, stepDoc{
		meaning: "Reads which kind of loader the checkpoint needs, and nothing else.",
		example: `the category is detected`,
	})
	v.When(`^support is checked$`, w.checkSupport, stepDoc{
		meaning: "Reads whether a loader for the checkpoint is known, and why not.",
		example: `support is checked`,
	})
	v.When(`^the omni check is made$`, w.checkOmni, stepDoc{
		meaning: "Reads whether the model handles speech, vision and text in one.",
		example: `the omni check is made`,
	})
	v.When(`^the SAE check is made$`, w.checkSAE, stepDoc{
		meaning: "Reads whether the checkpoint is a sparse autoencoder.",
		example: `the SAE check is made`,
	})
	v.When(`^the SAE base model is looked up$`, w.lookUpBaseModel, stepDoc{
		meaning: "Reads which model a sparse autoencoder was trained on.",
		example: `the SAE base model is looked up`,
	})
	v.When(`^the tokenizer is read$`, w.readTokenizer, stepDoc{
		meaning: "Finds the checkpoint's tokenizer, or that of its base model or a fallback, and reads its type, size and special tokens.",
		example: `the tokenizer is read`,
	})
	v.When(`^the checkpoint is inspected$`, w.inspect, stepDoc{
		meaning: "Reads everything the inspection reports: the model info, the tokenizer, the weight files and the findings.",
		example: `the checkpoint is inspected`,
	})
	v.When(`^the checkpoint is verified$`, w.verify, stepDoc{
		meaning: "Inspects the checkpoint, reads every file, and compares it with the hash that its download left on record.",
		example: `the checkpoint is verified`,
	})
}

func (w *world) readModelInfo(ctx context.Context) error {
	return w.read(ctx, ModelInfo)
}

func (w *world) detectCategory(ctx context.Context) error {
	return w.read(ctx, CategoryOnly)
}

func (w *world) checkSupport(ctx context.Context) error {
	return w.read(ctx, Support)
}

func (w *world) checkOmni(ctx context.Context) error {
	return w.read(ctx, OmniCheck)
}

func (w *world) checkSAE(ctx context.Context) error {
	return w.read(ctx, SAECheck)
}

func (w *world) lookUpBaseModel(ctx context.Context) error {
	return w.read(ctx, SAEBaseModel)
}

func (w *world) readTokenizer(ctx context.Context) error {
	return w.read(ctx, Tokenizer)
}

func (w *world) inspect(ctx context.Context) error {
	return w.read(ctx, Inspection)
}

func (w *world) verify(ctx context.Context) error {
	return w.read(ctx, Verification)
}
