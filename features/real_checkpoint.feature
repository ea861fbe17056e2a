@regression
Feature: A real checkpoint
  The promises that hold for every checkpoint, kept for one of your own: name its directory with
  --model or TEST_MODEL_PATH.

  @real @benchmark:real_model_info
  Scenario: It is read without a failure
    Given the real checkpoint
    When the model info is read
    Then the model is supported
    And the mean latency is below 20 ms

  @real
  Scenario: All questions agree about it
    Given the real checkpoint
    When the category is detected
    Then the model info says the same
    And the inspection says the same
