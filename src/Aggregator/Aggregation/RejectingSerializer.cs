using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Stands where Akka's JSON serializer is by default, which makes any type a peer names.</summary>
internal sealed class RejectingSerializer : Serializer
{
    public RejectingSerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    /// <summary>Akka looks for this form too.</summary>
    public RejectingSerializer(ExtendedActorSystem system, Config config)
        : base(system) => _ = config;

    /// <summary>The number of the JSON serializer on the wire.</summary>
    public override int Identifier => 1;

    public override bool IncludeManifest => true;

    public override byte[] ToBinary(object obj) => throw new SerializationException($"{obj.GetType()} has no serializer and does not leave this process");

    public override object FromBinary(byte[] bytes, Type type) => throw new SerializationException($"a peer sent JSON ({bytes.Length} bytes); it is not read");
}
