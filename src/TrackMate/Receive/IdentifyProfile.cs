using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/profile</c>: a browser says who it is. The answer never tells whether that person was known.</summary>
internal sealed class IdentifyProfile(Intake intake, PairLimit pairs)
{
    /// <summary>The path, and its alias with a neutral name for a path of the shop's own site.</summary>
    public static readonly string[] Paths = ["/api/profile", "/t/profile"];

    public static void Map(WebApplication app)
    {
        var call = app.Services.GetRequiredService<IdentifyProfile>();
        app.MapPublic(HttpMethods.Post, Paths, call.Handle).Describe(new("identify", CallGroup.Send, "Say who a browser's session is",
            "Every event of the session, past and future, is then on that person's timeline. The answer is always the id of the identifier in this message, known or not. A token, a JWT of the company's back end for this person and company, makes it verified; where the company enforces tokens, one without is a 401. POST /t/profile is the same call.",
            typeof(ProfileAnswer), """{"profileId":"671234567890abcdef123456"}""")
        {
            Bodies = [typeof(IdentifyBody)],
            BodyExample = """{"company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","email":"sarah@example.com","name":"Sarah Johnson","timestamp":"2025-10-18T10:08:00Z","eventId":"0199f6ac-5300-7000-8000-000000000002"}""",
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
        });
    }

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

// Nobody makes these records: a message is read in one pass over its bytes (Http/WireObject.cs). They are the schema of the body, and a test holds that the fields here are those that are read.

/// <summary>A browser says who it is: by e-mail, by the sender's own id, or both; the token that the company's back end signed vouches for it.</summary>
internal sealed record IdentifyBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    string? Email = null,
    string? ExternalId = null,
    string? Name = null,
    JsonObject? Traits = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    DateTimeOffset? SentAt = null,
    string? Token = null) : IRequestBody;
