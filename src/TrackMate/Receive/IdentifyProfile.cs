using TrackMate.Bind;
using TrackMate.Store;

namespace TrackMate.Receive;

/// <summary><c>POST /api/profile</c>: a browser says who it is. The answer never tells whether that person was known.</summary>
internal sealed class IdentifyProfile(Intake intake)
{
    public Task Handle(HttpContext http)
    {
        PublicCalls.AllowEveryOrigin(http);
        intake.LimitAddress(http);
        return intake.Run(http, ReceivingCall.Profile, Identify);
    }

    /// <exception cref="Refused">What has to be mended.</exception>
    public static Identify Read(WireObject wire, Company company, Arrival arrival)
    {
        if (wire.Json.Length > Intake.MaxEventBytes) throw Batches.TooLarge("The identify");
        return MessageReader.Identify(wire, new(
            company, Origin.Browser, arrival.ReceivedAt, wire.Time(Member.SentAt) + arrival.Delay, MessageReader.SessionIdOf(wire, company), default, arrival.Agent));
    }

    private async Task Identify(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var arrival = new Arrival(intake.Now(), UserAgent.Parse(http.Request.Headers.UserAgent));
        intake.LimitCompany(company, arrival.ReceivedAt);

        Identify identify;
        try
        {
            identify = Read(wire, company, arrival);
        }
        catch (Refused refused)
        {
            throw new Refusal(company, refused, Batches.EventIdOf(wire));
        }

        await intake.AppendAsync([identify], rejected: null);
        await Intake.WriteAsync(http, new ProfileAnswer(identify.SessionGoesTo.Id.ToString()), Wire.Json.ProfileAnswer);
    }
}
