"""OFREP, the OpenFeature Remote Evaluation Protocol, under ``/ofrep/v1``: what every OpenFeature provider of it speaks.

https://github.com/open-feature/protocol. A translation to EvaluationService; what flags are is decided there.
"""
