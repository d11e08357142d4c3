"""What requests leave behind, read, set and cleared from outside."""

from understudy.v1 import state_service_pb2 as pb

from understudy_server.app.call import Call


async def list_state_values(call: Call, request: pb.ListStateValuesRequest) -> pb.ListStateValuesResponse:
    """Stub."""
    raise NotImplementedError


async def get_state_value(call: Call, request: pb.GetStateValueRequest) -> pb.GetStateValueResponse:
    """Stub."""
    raise NotImplementedError


async def set_state_value(call: Call, request: pb.SetStateValueRequest) -> pb.SetStateValueResponse:
    """Stub."""
    raise NotImplementedError


async def increment_state_value(call: Call, request: pb.IncrementStateValueRequest) -> pb.IncrementStateValueResponse:
    """Stub."""
    raise NotImplementedError


async def delete_state_value(call: Call, request: pb.DeleteStateValueRequest) -> pb.DeleteStateValueResponse:
    """Stub."""
    raise NotImplementedError


async def get_state(call: Call, request: pb.GetStateRequest) -> pb.GetStateResponse:
    """Stub."""
    raise NotImplementedError


async def set_machine(call: Call, request: pb.SetMachineRequest) -> pb.SetMachineResponse:
    """Stub."""
    raise NotImplementedError


async def reset_state(call: Call, request: pb.ResetStateRequest) -> pb.ResetStateResponse:
    """Stub."""
    raise NotImplementedError
