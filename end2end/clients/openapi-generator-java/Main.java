import com.fasterxml.jackson.core.JsonProcessingException;
import java.time.LocalDate;
import latchkey.ApiClient;
import latchkey.ApiException;
import latchkey.api.KeyVerificationApi;
import latchkey.api.OffersApi;
import latchkey.api.PropertiesApi;
import latchkey.api.ReservationsApi;
import latchkey.model.GuestInput;
import latchkey.model.Problem;
import latchkey.model.Reservation;
import latchkey.model.ReservationInput;
import latchkey.model.VerifyRequest;

public class Main {
    public static void main(String[] arguments) throws ApiException, JsonProcessingException {
        ApiClient client = withKey("LATCHKEY_KEY");
        PropertiesApi properties = new PropertiesApi(client);
        String property = properties.listProperties(50, null).getData().get(0).getId();
        String service = new OffersApi(client).listServices(property, null, null).getData().get(0).getId();

        LocalDate arrival = LocalDate.now().plusDays(301);
        ReservationInput input = new ReservationInput()
            .propertyId(property)
            .serviceId(service)
            .guest(new GuestInput().name("Ada Lovelace"))
            .arrival(arrival)
            .departure(arrival.plusDays(1));
        ReservationsApi reservations = new ReservationsApi(client);
        String id = reservations.createReservation(input, null).getId();
        Reservation found = reservations.getReservation(id);
        check(found.getGuest().getName().equals("Ada Lovelace") && found.getArrival().equals(arrival), "get the reservation");

        try {
            properties.getProperty("prp_unknown");
            check(false, "an unknown property is refused");
        } catch (ApiException refused) {
            Problem problem = client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
            check(refused.getCode() == 404 && problem.getCode() == Problem.CodeEnum.NOT_FOUND, "the refusal says why");
        }

        VerifyRequest question = new VerifyRequest().key(System.getenv("LATCHKEY_KEY"));
        check(new KeyVerificationApi(withKey("LATCHKEY_VERIFIER_KEY")).verifyKey(question).getData().getValid(), "verify a key");
    }

    private static ApiClient withKey(String variable) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("LATCHKEY_URL"));
        client.setRequestInterceptor(request -> request.header("X-API-Key", System.getenv(variable)));
        return client;
    }

    private static void check(boolean isRight, String step) {
        if (!isRight) {
            throw new IllegalStateException("failed: " + step);
        }
    }
}
