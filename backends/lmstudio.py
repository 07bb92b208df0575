"""Ask LM Studio: chat as OpenAI does, inventory by LM Studio's own API."""

from dataclasses import replace

from pydantic import BaseModel

from backends.backend import Health, ModelInfo
from backends.errors import MalformedReply, RequestRefused
from backends.openai import OpenAIBackend
from backends.replies import Reply

_LANGUAGE_MODELS = {"llm", "vlm"}


class _Config(BaseModel):
    context_length: int | None = None
    parallel: int | None = None


class _Instance(BaseModel):
    id: str
    config: _Config = _Config()


class _Quantization(BaseModel):
    name: str | None = None


class _Model(BaseModel):
    type: str
    key: str
    loaded_instances: tuple[_Instance, ...] = ()
    max_context_length: int | None = None
    quantization: _Quantization | None = None
    size_bytes: int | None = None


class _Models(Reply):
    models: tuple[_Model, ...]


class _OldModel(BaseModel):
    id: str
    type: str
    state: str = ""
    loaded_context_length: int | None = None
    max_context_length: int | None = None
    quantization: str | None = None


class _OldModels(Reply):
    data: tuple[_OldModel, ...]


class _Loaded(Reply):
    instance_id: str


class LMStudioBackend(OpenAIBackend):
    """LM Studio from 0.4 with all it tells about its models; older ones as far as they tell."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List language models, downloaded and loaded."""
        try:
            reply = await self._server.get(self._native("/api/v1/models"), _Models)
        except (RequestRefused, MalformedReply):
            return await self._list_as_before_0_4()
        return tuple(_info(model) for model in reply.models if model.type in _LANGUAGE_MODELS)

    async def load(self, model: str, context_tokens: int | None) -> str:
        """Load a model with room for `context_tokens`; LM Studio's own default holds 4096 to 8192.

        Returns:
            The instance, by which it is unloaded.

        Raises:
            BackendError: It cannot be loaded, or LM Studio is older than 0.4.
        """
        body: dict[str, object] = {"model": model}
        if context_tokens:
            body["context_length"] = context_tokens
        asked = replace(self._server.asked, model=model)
        reply = await self._server.post(self._native("/api/v1/models/load"), body, _Loaded, asked)
        return reply.instance_id

    async def unload(self, instance: str) -> None:
        """Free the memory of an instance.

        Raises:
            BackendError: There is no such instance.
        """
        path = self._native("/api/v1/models/unload")
        await self._server.post(path, {"instance_id": instance}, Reply, self._server.asked)

    async def _list_as_before_0_4(self) -> tuple[ModelInfo, ...]:
        try:
            reply = await self._server.get(self._native("/api/v0/models"), _OldModels)
        except (RequestRefused, MalformedReply):
            return await super().list_models()
        return tuple(_old_info(model) for model in reply.data if model.type in _LANGUAGE_MODELS)

    def _native(self, path: str) -> str:
        return self._prefix.removesuffix("/v1") + path

    async def _greet(self) -> Health:
        models = await self.list_models()
        loaded = sum(bool(model.loaded) for model in models)
        return Health(
            reachable=True, detail=f"LM Studio answers with {len(models)} models, {loaded} of them loaded."
        )


def _info(model: _Model) -> ModelInfo:
    contexts = [one.config.context_length for one in model.loaded_instances if one.config.context_length]
    return ModelInfo(
        name=model.key,
        loaded=bool(model.loaded_instances),
        context_tokens=min(contexts, default=model.max_context_length),
        quantization=model.quantization.name if model.quantization else None,
        size_bytes=model.size_bytes,
    )


def _old_info(model: _OldModel) -> ModelInfo:
    return ModelInfo(
        name=model.id,
        loaded=model.state == "loaded",
        context_tokens=model.loaded_context_length or model.max_context_length,
        quantization=model.quantization,
    )
