using TrackMate.Bind;

namespace TrackMate.Receive;

/// <summary><c>POST /api/profile</c>: a browser says who it is. The answer never tells whether that person was known.</summary>
internal sealed class IdentifyProfile(Intake intake)
{
    public Task Handle(HttpContext http)
    {
        PublicCalls.AllowEveryOrigin(http);
        intake.LimitAddress(http);
        return intake.Run(http, Identify);
    }

    private async Task Identify(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var receivedAt = intake.Now();
        intake.LimitCompany(company, receivedAt);

        Identify identify;
        try
        {
            if (body.Utf8.Length > Intake.MaxEventBytes) throw Batches.TooLarge("The identify");
            identify = MessageReader.Identify(wire, new(
                company, Origin.Browser, receivedAt, wire.Time(Member.SentAt), MessageReader.SessionIdOf(wire, company), default, UserAgent.Parse(http.Request.Headers.UserAgent)));
        }
        catch (Refused refused)
        {
            throw new Refusal(company, Origin.Browser, refused, Batches.EventIdOf(wire));
        }

        await intake.AppendAsync([identify], rejected: null);
        await Intake.WriteAsync(http, new ProfileAnswer(identify.SessionGoesTo.Id.ToString()), Wire.Json.ProfileAnswer);
    }
}
