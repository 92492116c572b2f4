using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Event;
using LogLevel = ActorProfiler.Telemetry.LogLevel;

namespace ActorProfiler.Commands.Run;

/// <summary>Writes what actors log with the program's <see cref="LogWriter"/>, which <see cref="WriterSetup"/> brings into the actor system.</summary>
internal sealed class ActorLogger : ReceiveActor
{
    private readonly LogWriter _writer = Context.System.Settings.Setup.Get<WriterSetup>().Value.Writer;

    private readonly RemotingLines _remoting = new(TimeProvider.System);

    public ActorLogger()
    {
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<Debug>(logged => Write(LogLevel.Debug, logged));
        Receive<Info>(logged => IsOurs(logged.LogClass), logged => Write(LogLevel.Info, logged));
        Receive<Info>(_ => { }); // Akka's life events are for its developers
        Receive<LogEvent>(logged => RemotingLines.IsOf(logged), logged =>
        {
            if (_remoting.Line(logged) is { } line)
            {
                _writer.Write(LogLevel.Warning, "cluster", line);
            }
        });
        Receive<Warning>(logged => Write(LogLevel.Warning, logged));
        Receive<Error>(logged => Write(LogLevel.Error, logged));
    }

    internal sealed class WriterSetup(LogWriter writer) : Setup
    {
        public LogWriter Writer => writer;
    }

    private static bool IsOurs(Type source) => source.FullName!.StartsWith("ActorProfiler.", StringComparison.Ordinal);

    private void Write(LogLevel level, LogEvent logged)
    {
        var cause = logged.Cause is null ? "" : $": {logged.Cause}";
        _writer.Write(level, logged.LogSource, logged.Message + cause);
    }
}
