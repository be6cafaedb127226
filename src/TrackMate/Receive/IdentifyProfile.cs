using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/profile</c>: a browser says who it is. The answer never tells whether that person was known.</summary>
internal sealed class IdentifyProfile(Intake intake, PairLimit pairs)
{
    public Task Handle(HttpContext http)
    {
        intake.LimitAddress(http);
        intake.RequireRoom();
        return intake.Run(http, ReceivingCall.Profile, Identify);
    }

    /// <exception cref="RejectionException">What has to be mended.</exception>
    public static Identify Read(WireObject wire, Company company, Arrival arrival)
    {
        if (wire.Json.Length > Batches.MaxEventBytes) throw Batches.TooLarge("The identify");
        return MessageReader.Identify(wire, new(
            company, Origin.Browser, arrival.ReceivedAt, wire.Time(Member.SentAt) + arrival.Delay, MessageReader.SessionIdOf(wire, company), default, arrival.Agent));
    }

    private async Task Identify(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var arrival = new Arrival(intake.Now(), UserAgent.Parse(http.Request.Headers.UserAgent));
        intake.LimitCompany(company, Origin.Browser, arrival.ReceivedAt);

        Identify identify;
        try
        {
            identify = Trusted(wire, Read(wire, company, arrival));
            pairs.Take(http.Connection.RemoteIpAddress ?? System.Net.IPAddress.None, identify);
        }
        catch (RejectionException refused)
        {
            throw new AttributedRejection(company, refused, Batches.EventIdOf(wire));
        }

        await intake.AppendAsync([identify], rejected: null);
        await JsonAnswer.WriteAsync(http, new ProfileAnswer(identify.SessionGoesTo.Id.ToString()), Wire.Json.ProfileAnswer);
    }

    /// <summary>What stands behind it: its token, or the word of a browser, where the company takes that (B15).</summary>
    /// <exception cref="RejectionException">The company takes only tokens, and there is none that is valid. Decided before anything is looked up, so it says nothing about anyone.</exception>
    private Identify Trusted(WireObject wire, Identify identify)
    {
        var token = wire.IsText(Member.Token) ? wire.AnyText(Member.Token) : wire.Has(Member.Token) ? "" : null;
        var company = identify.Company;
        var fault = IdentifyToken.FaultOf(token, company, intake.Registry.TokenKeysInForce(company), identify.Named, identify.SessionId!, identify.ReceivedAt);
        if (fault is not { } found) return identify with { Trust = Trust.Verified };
        if (company.Settings.TokenMode is TokenMode.Off) return identify;

        ReceiveMetrics.WithoutToken(RejectionException.NameOf(found));
        return company.Settings.TokenMode is TokenMode.Observe ? identify with { WithoutToken = found } : throw IdentifyToken.Refusing(found);
    }
}
