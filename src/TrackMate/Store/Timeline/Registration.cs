using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>The derived <c>user_registered</c> of a person (B3): the earliest identify, in its session, whoever the session went to.</summary>
public sealed record Registration(ProfileId Person, long Identifier, long Session, long UnixMilliseconds, long ReceivedAt, long Claim, Trust Trust)
{
    public const string EventType = "user_registered";

    public string EventId => "reg_" + Person;

    public EventOrder Order => EventOrder.Of(UnixMilliseconds, Origin.Browser);

    public SourceOfEvents Source => new(Identifier, Session, long.MinValue, long.MaxValue, Claim, Trust);
}
