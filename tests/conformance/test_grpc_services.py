"""What gRPC tools expect of a server beside its own services."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from support.server import Server
from understudy_server.rpc.table import service_names


def test_health_is_served_for_the_server_and_each_service(server: Server) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", *service_names()):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_names_every_service_and_gives_its_file(server: Server) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(service_names()) < set(database.get_services())
        file = database.FindFileContainingSymbol("understudy.v1.SessionService")
        assert file.name == "understudy/v1/session_service.proto"
